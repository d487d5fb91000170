/** The child's end: does its duties until its parent is gone. A warning is the end of it, so that none is overlooked. */
import type { Answer, Duties, Question } from './duties.ts'

type Perform = ((order: unknown) => unknown) | undefined

/** Answers every question. @returns what lets go of the parent: the process ends when nothing else holds it */
export function serve<D extends Duties<D>>(duties: D): () => void {
  const performs = new Map<string, Perform>(Object.entries(duties))
  const tell = (answer: Answer): void => void process.send?.(answer)
  const exit = (): void => process.exit()
  process.on('warning', (warning) => {
    throw warning
  })
  process.on('disconnect', exit)
  process.on('message', (message) => {
    const question = message as Question
    void perform(performs.get(question.duty), question).then(tell)
  })
  tell({ id: 0, answer: undefined })
  return () => {
    process.off('disconnect', exit)
    // Behind the answer to whatever it was that asked for it.
    setImmediate(() => process.disconnect())
  }
}

async function perform(duty: Perform, { id, duty: name, order }: Question): Promise<Answer> {
  try {
    if (duty === undefined) throw new Error(`There is no duty ${name}`)
    return { id, answer: await duty(order) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
