// Stands for traefik/whoami: answers every request with what it saw of it. One file without imports
// from the workspace, since it runs alone inside a container.
// Port: --port or WHOAMI_PORT_NUMBER, else 80; --name or WHOAMI_NAME adds a Name line.
import { createServer, type IncomingMessage } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { port: { type: 'string' }, name: { type: 'string' }, verbose: { type: 'boolean' } },
})
const port = Number(values.port ?? process.env['WHOAMI_PORT_NUMBER'] ?? 80)
const name = values.name ?? process.env['WHOAMI_NAME']

function addresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address))
}

function bare(address: string | undefined, remotePort: number | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:/, '')
  return plain.includes(':') ? `[${plain}]:${remotePort}` : `${plain}:${remotePort}`
}

function describe(request: IncomingMessage): string {
  const headers: string[] = []
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() !== 'host')
      headers.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
  }
  return [
    ...(name === undefined ? [] : [`Name: ${name}`]),
    `Hostname: ${hostname()}`,
    ...addresses().map((address) => `IP: ${address}`),
    `RemoteAddr: ${bare(request.socket.remoteAddress, request.socket.remotePort)}`,
    `${request.method} ${request.url} HTTP/${request.httpVersion}`,
    `Host: ${request.headers.host ?? ''}`,
    ...headers.toSorted(),
    '',
    '',
  ].join('\n')
}

let stopping = false
const server = createServer((request, response) => {
  request.resume()
  if (stopping) response.setHeader('connection', 'close')
  if (request.url === '/health') {
    response.writeHead(200).end()
    return
  }
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(describe(request))
})
// Longer than any proxy keeps an idle upstream connection, so that this side never closes first.
server.keepAliveTimeout = 3_700_000
server.listen(port, () => process.stdout.write(`Starting up on port ${port}\n`))

process.once('SIGTERM', () => {
  stopping = true
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
