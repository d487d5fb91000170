/** Tokens of a run: the name of a principal, signed with a secret of the run. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** The token of a principal. */
export function tokenOf(secret: string, id: string): string {
  return `${id}.${sign(secret, id)}`
}

/** Whose token it is; `undefined` for one that this secret has not signed. */
export function ownerOf(secret: string, token: string): string | undefined {
  const dot = token.lastIndexOf('.')
  const id = token.slice(0, dot)
  const shown = Buffer.from(token.slice(dot + 1))
  const signed = Buffer.from(sign(secret, id))
  return shown.length === signed.length && timingSafeEqual(shown, signed) ? id : undefined
}

function sign(secret: string, id: string): string {
  return createHmac('sha256', secret).update(id).digest('base64url')
}
