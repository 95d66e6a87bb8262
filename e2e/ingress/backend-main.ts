/**
 * All backends in one process: each request is answered with the address that it came to, and the connection kept unless
 * the query is `last`. With a certificate and key as JSON they speak TLS. Says a line when it listens.
 */
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'

const [port, pair] = process.argv.slice(2)
const answer: RequestListener = (request, response) => {
  if (request.url?.endsWith('?last') === true) response.setHeader('connection', 'close')
  response.end(request.socket.localAddress)
}
const kept = { keepAliveTimeout: 0 }
const server =
  pair === undefined
    ? createServer(kept, answer)
    : createSecureServer({ ...kept, ...(JSON.parse(pair) as object) }, answer)
server.listen(Number(port), '0.0.0.0', () => process.stdout.write('listening\n'))
