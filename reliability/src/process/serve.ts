/** The child's end: does its duties until its parent is gone. A warning is the end of it, so that none is overlooked. */
import type { Answer, Duties, Question } from './duties.ts'

/** What is done when the parent lets go. */
export interface ServeOptions {
  /** `exit`: ends at once. `idle`: does nothing, so that the process ends when nothing holds it. @default 'exit' */
  readonly whenLetGo?: 'exit' | 'idle'
}

type Perform = ((order: unknown) => unknown) | undefined

/** Answers every question. */
export function serve<D extends Duties<D>>(
  duties: D,
  { whenLetGo = 'exit' }: ServeOptions = {},
): void {
  const performs = new Map<string, Perform>(Object.entries(duties))
  const tell = (answer: Answer): void => void process.send?.(answer)
  process.on('warning', (warning) => {
    throw warning
  })
  if (whenLetGo === 'exit') process.on('disconnect', () => process.exit())
  process.on('message', (message) => {
    const question = message as Question
    void perform(performs.get(question.duty), question).then(tell)
  })
  tell({ id: 0, answer: undefined })
}

async function perform(duty: Perform, { id, duty: name, order }: Question): Promise<Answer> {
  try {
    if (duty === undefined) throw new Error(`There is no duty ${name}`)
    return { id, answer: await duty(order) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
