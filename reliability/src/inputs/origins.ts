/** Origins and hosts that look like those of the list. */
import { greeting, refused } from './build.ts'
import type { Row } from './row.ts'

const IN = 'HTTP 101 bus.v1'

const strangers = [
  'http://shop.example',
  'wss://shop.example',
  'https://shop.example.',
  'https://shop.example.evil.test',
  'https://evil.test/https://shop.example',
  'https://evil-shop.example',
  'https://evilshop.example',
  'https://sub.shop.example',
  'https://shop.example:443',
  'https://shop.example:8443',
  'https://shop.example:',
  'HTTPS://SHOP.EXAMPLE',
  'https://SHOP.example',
  'https://shop.example/',
  'https://shop.example/path',
  'https://shop.example?a',
  'https://shop.example#a',
  'https://shop.example@evil.test',
  'https://user:pass@shop.example',
  'https://shop.example, https://evil.test',
  'https://shop.example https://evil.test',
  'https://xn--shp-wna.example',
  'https://shöp.example',
  'https://shop%2eexample',
  'null',
  '',
  'file://',
  'chrome-extension://shop.example',
  'http://localhost',
  'http://localhost:80',
  'http://127.0.0.1:8080',
  'http://[::1]:8080',
  '*',
]

const hosts = [
  'evil.test',
  'hub.example.evil.test',
  'evil-hub.example',
  'sub.hub.example',
  'hub.example.',
  'hub.example:80',
  'hub.example:08080',
  'HUB.EXAMPLE',
  'hub.example, evil.test',
  'hub.example@evil.test',
  'localhost',
  '127.0.0.1:1',
  '127.1',
  '0x7f.0.0.1',
  '2130706433',
  '0.0.0.0',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '',
]

const hub = 'guarded'

/** At least 25. */
export const origins: readonly Row[] = [
  ...strangers.map((origin) =>
    greeting(`origin ${origin || 'empty'}`, { lines: [`Origin: ${origin}`] }, refused(403), {
      hub,
    }),
  ),
  ...['https://shop.example', 'http://localhost:8080'].map((origin) =>
    greeting(`origin ${origin}`, { lines: [`Origin: ${origin}`] }, IN, { hub }),
  ),
  greeting('no origin', {}, IN, { hub }),
  greeting(
    'two origins',
    { lines: ['Origin: https://shop.example', 'Origin: https://evil.test'] },
    refused(403),
    { hub },
  ),
  greeting(
    'one origin twice',
    { lines: ['Origin: https://shop.example', 'Origin: https://shop.example'] },
    refused(403),
    { hub },
  ),
  greeting(
    'the origin of an old version',
    {
      replace: { 'sec-websocket-version': 'Sec-WebSocket-Version: 8' },
      lines: ['Sec-WebSocket-Origin: https://evil.test'],
    },
    refused(403),
    { hub },
  ),
  greeting(
    'any origin, where none is named',
    { lines: ['Origin: http://127.0.0.1'] },
    refused(403),
  ),
  ...hosts.map((host) =>
    greeting(`host ${host || 'empty'}`, { replace: { host: `Host: ${host}` } }, refused(403), {
      hub,
    }),
  ),
  ...['hub.example', 'hub.example:8080'].map((host) =>
    greeting(`host ${host}`, { replace: { host: `Host: ${host}` } }, IN, { hub }),
  ),
  greeting(
    'the host of a header for proxies',
    {
      replace: { host: 'Host: evil.test' },
      lines: ['X-Forwarded-Host: hub.example', 'Forwarded: host=hub.example'],
    },
    refused(403),
    { hub },
  ),
  greeting(
    'the host of the target',
    { target: 'http://hub.example/', replace: { host: 'Host: evil.test' } },
    refused(403),
    { hub },
  ),
]
