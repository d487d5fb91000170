/** A hub beside the routes of a plain `node:http` server. */
import { createServer } from 'node:http'
import { createHub } from '@bus/websocket/hub'

const server = createServer((_request, response) => {
  response.end('routes as before\n')
})
const hub = await createHub({ server, path: '/events', allowAnonymous: true })

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log(`events at ${hub.url}`)
})

process.once('SIGTERM', () => {
  // First the hub: it sends its clients away and waits for them. The server stays yours to close.
  void hub.close().then(() => server.close())
})
