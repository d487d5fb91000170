/** Doors: no hub is open by accident, and no browser comes in from elsewhere. */
import { createHub, type HubOptions } from '@bus/websocket/hub'
import { HUBS } from '../inputs/hubs.ts'
import { origins } from '../inputs/origins.ts'
import { runRow } from '../inputs/run-row.ts'
import { atLeast, exactly } from '../report/bar.ts'
import type { Scene } from './scene.ts'

const OPEN_BY_ACCIDENT: readonly HubOptions[] = [
  {},
  { allowAnonymous: false },
  { origins: ['https://shop.example'] },
  { hosts: ['hub.example'] },
  { authorize: () => true },
]

/** Every origin and host of the table of bad inputs. */
export const doors: Scene = async ({ hubs }) => {
  let opened = 0
  for (const options of OPEN_BY_ACCIDENT) {
    try {
      const hub = await createHub(options)
      opened++
      await hub.close()
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'config') throw error
    }
  }
  for (const name of ['open', 'guarded']) await hubs.open(name, HUBS[name] ?? {})
  const wrong: string[] = []
  let refused = 0
  for (const row of origins) {
    const { got } = await runRow(row, hubs.portOf(row.hub))
    if (got !== row.want) wrong.push(`${row.name}: ${got}`)
    if (got === 'HTTP 403 | end') refused++
  }
  return {
    figures: { origins: origins.length, refused, wrong },
    bars: [
      exactly('doors: hubs that were open by accident', opened, 0),
      atLeast('doors: origins and hosts refused', refused, 50),
      exactly('doors: origins and hosts with another outcome', wrong.length, 0),
    ],
  }
}
