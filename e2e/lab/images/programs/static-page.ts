// Stands for images whose only job is to serve a page (nginx, mimizone/simplehttp): answers every
// path with the page that the container wrote where nginx has it, or else with one that names the pod. Port: PORT, else 80.
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { hostname } from 'node:os'

const port = Number(process.env['PORT'] ?? 80)
const written = '/usr/share/nginx/html/index.html'
const welcome = `<!doctype html>\n<title>Welcome to nginx!</title>\n<p>Served by ${hostname()}.</p>\n`

let stopping = false
const server = createServer((request, response) => {
  request.resume()
  if (stopping) response.setHeader('connection', 'close')
  const page = existsSync(written) ? readFileSync(written, 'utf8') : welcome
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(page) })
    .end(request.method === 'HEAD' ? undefined : page)
})
server.keepAliveTimeout = 3_700_000
server.listen(port)

process.once('SIGTERM', () => {
  stopping = true
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
process.once('SIGQUIT', () => process.exit(0))
