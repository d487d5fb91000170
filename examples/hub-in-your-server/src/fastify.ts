/** A hub beside the routes of a Fastify application. */
import { fastify } from 'fastify'
import { createHub } from '@bus/websocket/hub'

const app = fastify()
app.get('/', () => 'routes as before\n')

const hub = await createHub({ server: app.server, path: '/events', allowAnonymous: true })
// Before Fastify waits for its connections to end.
app.addHook('preClose', () => hub.close())

await app.listen({ port: Number(process.env['PORT'] ?? 8080), host: '127.0.0.1' })
console.log(`events at ${hub.url}`)

process.once('SIGTERM', () => {
  void app.close()
})
