/** A hub beside the routes of an Express application. */
import { createServer } from 'node:http'
import express from 'express'
import { createHub } from '@bus/websocket/hub'

const app = express()
app.get('/', (_request, response) => {
  response.send('routes as before\n')
})

// Express handles requests; upgrades come to the server underneath.
const server = createServer(app)
const hub = await createHub({ server, path: '/events', allowAnonymous: true })

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log(`events at ${hub.url}`)
})

process.once('SIGTERM', () => {
  void hub.close().then(() => server.close())
})
