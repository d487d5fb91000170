/** What grants mean, written down naively: by trying every type of a small world. */

/** Every type of one to four of these tokens; two stand in patterns, the third stands for all others. */
export const WORLD: readonly string[] = world(['a', 'b', 'z'], 4)

function world(tokens: readonly string[], depth: number): string[] {
  let last: string[] = [...tokens]
  const all = [...last]
  for (let level = 1; level < depth; level++) {
    last = last.flatMap((type) => tokens.map((token) => `${type}.${token}`))
    all.push(...last)
  }
  return all
}

/** Token by token. */
export function isMatch(pattern: string, type: string): boolean {
  const go = (wants: readonly string[], tokens: readonly string[]): boolean => {
    const [want, ...wantsLeft] = wants
    const [token, ...tokensLeft] = tokens
    if (want === undefined || token === undefined) return want === token
    if (want === '>') return true
    return (want === '*' || want === token) && go(wantsLeft, tokensLeft)
  }
  return go(pattern.split('.'), type.split('.'))
}

/** Whether one of the grants lets through every type that the pattern lets through. The pattern has up to three tokens. */
export function isGranted(grants: readonly string[], pattern: string): boolean {
  const types = WORLD.filter((type) => isMatch(pattern, type))
  return grants.some((grant) => types.every((type) => isMatch(grant, type)))
}
