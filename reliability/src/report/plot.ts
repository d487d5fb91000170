/** A plot: a few figures over time as lines, in an SVG that follows the reader's light or dark scheme. */

/** One figure over time. */
interface Line {
  readonly name: string
  /** Seconds, and the figure. In order. */
  readonly points: readonly (readonly [number, number])[]
}

export interface Plot {
  readonly title: string
  /** What is drawn upwards. */
  readonly unit: string
  /** At most two, so that each has a colour of its own. */
  readonly lines: readonly Line[]
}

const WIDTH = 760
const HEIGHT = 260
const LEFT = 64
const RIGHT = 24
const TOP = 58
const BOTTOM = 34
/** Marks on each axis, besides that at 0. */
const MARKS = 4

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .unit, .mark { fill: #59636e } .y { text-anchor: end; dominant-baseline: central } .x { text-anchor: middle }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  polyline { fill: none; stroke-width: 2 }
  .line-0 { stroke: #0969da } .line-1 { stroke: #8c959f }
  text.line-0 { fill: #0969da; stroke: none } text.line-1 { fill: #59636e; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .unit, .mark { fill: #9198a1 } .grid { stroke: #3d444d }
    .line-0 { stroke: #4493f8 } .line-1 { stroke: #9198a1 }
    text.line-0 { fill: #4493f8 } text.line-1 { fill: #9198a1 }
  }`

/** The whole file. */
export function draw({ title, unit, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points)
  const farthest = roundUp(Math.max(...points.map(([x]) => x)))
  const highest = roundUp(Math.max(...points.map(([, y]) => y)))
  const across = (x: number): string => (LEFT + (x / farthest) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const up = (y: number): string =>
    (HEIGHT - BOTTOM - (y / highest) * (HEIGHT - TOP - BOTTOM)).toFixed(1)
  const marks = Array.from({ length: MARKS + 1 }, (_, i) => i / MARKS)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<style>${STYLE}\n</style>`,
    `<title>${title}</title>`,
    `<text class="title" x="12" y="22">${title}</text>`,
    `<text class="unit" x="12" y="42">${unit}, over seconds</text>`,
    ...marks.flatMap((share) => {
      const y = up(share * highest)
      return [
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`,
        `<text class="mark y" x="${LEFT - 8}" y="${y}">${label(share * highest)}</text>`,
        `<text class="mark x" x="${across(share * farthest)}" y="${HEIGHT - 12}">${label(share * farthest)}</text>`,
      ]
    }),
    ...lines.flatMap(({ name, points: own }, i) => [
      `<polyline class="line-${i}" points="${own.map(([x, y]) => `${across(x)},${up(y)}`).join(' ')}"/>`,
      `<text class="line-${i}" x="${WIDTH - RIGHT - 220 + i * 110}" y="42">${name}</text>`,
    ]),
    '</svg>\n',
  ].join('\n')
}

/** The next of 1, 2, 4 and 5 with zeros, so that quarters are round. */
function roundUp(value: number): number {
  if (!(value > 0)) return 1
  const unit = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 5, 10].find((step) => step * unit >= value) ?? 10) * unit
}

function label(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US')
}
