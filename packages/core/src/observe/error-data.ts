/** An error as plain data, for logs and traces: with its code and its causes, and without secrets in URLs. */
import { redactUrl } from '../config/redact.ts'

/** What is kept of an error. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  /** The stable code, where it has one. */
  readonly code?: string
  /** What it was caused by. */
  readonly cause?: ErrorData
}

/** A chain that is longer is cut: it may be a circle. */
const MAX_DEPTH = 5

/** Takes anything that can be thrown. */
export function errorData(error: unknown, depth: number = 1): ErrorData {
  if (!(error instanceof Error)) return { name: typeof error, message: hideSecrets(textOf(error)) }
  const { name, message, cause } = error
  const { code } = error as { code?: unknown }
  return {
    name,
    message: hideSecrets(message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause === undefined || depth === MAX_DEPTH ? {} : { cause: errorData(cause, depth + 1) }),
  }
}

/** The same for a log, with where the outermost was made. */
export function errorWithStack(error: unknown): ErrorData & { readonly stack?: string } {
  const data = errorData(error)
  const stack = error instanceof Error ? error.stack : undefined
  // Without its first lines, which repeat the message.
  const from = typeof stack === 'string' ? stack.indexOf('\n    at ') : -1
  return from < 0 ? data : { ...data, stack: hideSecrets(stack?.slice(from + 1) ?? '') }
}

/** Any URL within the text is shown without user and query. */
function hideSecrets(text: string): string {
  // A scheme of any length would be looked for anew behind each of its dots: minutes for a text that a server may send.
  return text.replace(/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"'`<>]+/gi, redactUrl)
}

function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'a value without a text'
  }
}
