/** `bus doctor`: checks whether a server can be reached, or explains an error. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ConfigError } from '@bus/core'
import { redactUrl } from '@bus/core/kit'
import { ExitCode, UsageError, type CommandIo, type Output } from '../command-io.ts'
import { diagnose, type DiagnoseOptions, type Step } from './diagnose.ts'
import { explain, type Explanation } from './explain.ts'
import { MAX_ERROR_CHARACTERS, readError } from './read-error.ts'

const HELP = `Usage: bus doctor <url> [options]
       bus doctor --error <text>

Dials the server once, as an application would, and shows for each step whether it holds: address, TCP, TLS,
HTTP upgrade, subprotocol, hello and welcome of bus.v1, ping, clock. What fails is explained, with what to do.

Options:
  --header <name: value>  a header of the handshake; can be given several times
  --allow-insecure        lets credentials go over ws: to another machine
  --ca <file>             certificates to trust instead of the well-known ones, as PEM
  --timeout <ms>          milliseconds for each of connecting, session and ping (default 10000)
  --error <text>          explains an error instead: a message, a stack, or JSON; - reads it from the standard input
  --json                  lines of JSON, as on a pipe; a terminal gets text
  -h, --help              this text

The variable BUS_TOKEN holds the token that a hub is shown.

Examples:
  bus doctor ws://localhost:8080/events
  bus doctor wss://events.example/ --header 'Authorization: Bearer …' --json
  BUS_TOKEN=… bus doctor wss://events.example/
  bus doctor --error 'connect ECONNREFUSED 127.0.0.1:8080'
  tail -n 1 service.log | bus doctor --error -

Exit codes:
  0  all is well, or the error was explained
  1  a problem was found
  2  the command was not used as it should be
`

const OPTIONS = {
  header: { type: 'string', multiple: true },
  'allow-insecure': { type: 'boolean' },
  ca: { type: 'string' },
  timeout: { type: 'string' },
  error: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Parsed = ReturnType<typeof parse>

/** @throws `UsageError` */
export async function doctor(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const parsed = parse(args)
  const { values, positionals } = parsed
  if (values.help === true) {
    io.stdout.write(HELP)
    return ExitCode.fine
  }
  const isJson = values.json === true || io.stdout.isTTY !== true
  const [url, ...more] = positionals
  if (values.error !== undefined) {
    if (url !== undefined)
      throw new UsageError('Expected either a URL or `--error`, got both', HELP)
    const text = values.error === '-' ? await readInput(io) : values.error
    writeExplanation(explain(readError(text)), io.stdout, isJson)
    return ExitCode.fine
  }
  if (url === undefined) throw new UsageError('Expected the URL of a server, got none', HELP)
  if (more.length > 0) {
    throw new UsageError(`Expected one URL, got ${positionals.length}`, HELP)
  }
  return await check(url, await dialOptions(parsed, io), io.stdout, isJson)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message, HELP, { cause: error })
  }
}

async function dialOptions(
  { values }: Parsed,
  { env }: CommandIo,
): Promise<Omit<DiagnoseOptions, 'url'>> {
  const { header = [], timeout = '10000', ca } = values
  const timeoutMs = Number(timeout)
  if (!/^\d{1,9}$/.test(timeout) || timeoutMs < 1) {
    throw new UsageError(`Expected \`--timeout\` to be milliseconds ≥ 1, got ${timeout}`, HELP)
  }
  return {
    timeoutMs,
    headers: Object.fromEntries(header.map(readHeader)),
    allowInsecure: values['allow-insecure'] === true,
    token: env['BUS_TOKEN'] === '' ? undefined : env['BUS_TOKEN'],
    ...(ca === undefined ? {} : { tls: { ca: await readCertificates(ca) } }),
  }
}

/** Without the value in the error: it may be a secret. */
function readHeader(text: string): readonly [name: string, value: string] {
  const end = text.indexOf(':')
  if (end < 1) throw new UsageError('Expected `--header` to be `name: value`', HELP)
  return [text.slice(0, end).trim(), text.slice(end + 1).trim()]
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { message } = explain(error)
    throw new UsageError(`Could not read \`--ca\`: ${message}`, HELP, { cause: error })
  }
}

/** As much as is read of an error, whatever comes behind it. */
async function readInput({ stdin }: CommandIo): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.length >= MAX_ERROR_CHARACTERS) break
  }
  return text
}

async function check(
  url: string,
  options: Omit<DiagnoseOptions, 'url'>,
  output: Output,
  isJson: boolean,
): Promise<ExitCode> {
  try {
    const isWell = await diagnose({ url, ...options }, (step) => writeStep(step, output, isJson))
    const result = isWell ? 'ok' : 'problem'
    if (isJson) writeLine(output, { result, url: redactUrl(url) })
    else output.write(isWell ? '\nAll is well.\n' : '\nA problem was found.\n')
    return isWell ? ExitCode.fine : ExitCode.problem
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, HELP, { cause: error })
    throw error
  }
}

function writeExplanation(explanation: Explanation, output: Output, isJson: boolean): void {
  if (isJson) writeLine(output, explanation)
  else output.write(explained(explanation, ''))
}

const SIGNS = { ok: '✓', failed: '✗', skipped: '-' } as const

function writeStep(step: Step, output: Output, isJson: boolean): void {
  if (isJson) {
    writeLine(output, step)
    return
  }
  output.write(`${SIGNS[step.status]} ${step.step.padEnd(11)} ${step.detail}\n`)
  if (step.status === 'failed') output.write(explained(step.advice, ' '.repeat(14)))
}

function explained({ message, suggestion, docsUrl }: Explanation, indent: string): string {
  return [message, suggestion, `See ${docsUrl}`].map((line) => `${indent}${line}\n`).join('')
}

function writeLine(output: Output, value: object): void {
  output.write(`${JSON.stringify(value)}\n`)
}
