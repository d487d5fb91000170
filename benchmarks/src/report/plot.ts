/** Draws a finding as horizontal bars, in an SVG that follows the reader's light or dark scheme. */
import type { Finding, Row } from './finding.ts'
import { measure, type Spread } from './statistics.ts'
import { format } from './table.ts'

const WIDTH = 760
const LEFT = 130
const RIGHT = 170
const TOP = 54
const ROW = 30
const BAR = 16

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .label, .figure { dominant-baseline: central }
  .label { text-anchor: end }
  .unit, .figure { fill: #59636e }
  .ours { fill: #0969da } .peer { fill: #8c959f }
  .spread { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .unit, .figure { fill: #9198a1 }
    .ours { fill: #4493f8 } .peer { fill: #656c76 } .spread { stroke: #f0f6fc }
  }`

/** Bars of the first metric with least and most; `undefined` where nothing was measured. */
export function plotOf(finding: Finding, isOurs: (name: string) => boolean): string | undefined {
  const [metric] = finding.metrics
  if (metric === undefined) return undefined
  const bars = finding.rows.flatMap((row) => {
    const spread = measure(finding, row, metric)
    return spread === undefined ? [] : [{ row, spread }]
  })
  if (bars.length === 0) return undefined
  const most = Math.max(...bars.map(({ spread }) => spread.max))
  const scale = (value: number): number => (value / most) * (WIDTH - LEFT - RIGHT)
  const drawn = bars.map(({ row, spread }, i) => {
    const figure = format(spread, metric.digits)
    return bar(row, spread, TOP + i * ROW + ROW / 2, scale, figure, isOurs(row.name))
  })
  const height = TOP + bars.length * ROW + 12
  const unit = `${metric.label}, ${metric.better} is better; median, least and most`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<style>${STYLE}\n</style>`,
    `<title>${escape(finding.title)}</title>`,
    `<text class="title" x="12" y="22">${escape(finding.title)}</text>`,
    `<text class="unit" x="12" y="42">${escape(unit)}</text>`,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

function bar(
  { name }: Row,
  { median, min, max }: Spread,
  y: number,
  scale: (value: number) => number,
  figure: string,
  isOurs: boolean,
): string {
  const at = (value: number): string => (LEFT + scale(value)).toFixed(1)
  return [
    `<text class="label" x="${LEFT - 10}" y="${y}">${escape(name)}</text>`,
    `<rect class="${isOurs ? 'ours' : 'peer'}" x="${LEFT}" y="${y - BAR / 2}" width="${scale(median).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<line class="spread" x1="${at(min)}" x2="${at(max)}" y1="${y}" y2="${y}"/>`,
    `<text class="figure" x="${(LEFT + scale(max) + 8).toFixed(1)}" y="${y}">${escape(figure)}</text>`,
  ].join('\n')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
