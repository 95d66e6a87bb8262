// Stands for images whose only job is to serve a page (nginx, mimizone/simplehttp): answers every
// path with one page that names the pod. Port: PORT, else 80.
import { createServer } from 'node:http'
import { hostname } from 'node:os'

const port = Number(process.env['PORT'] ?? 80)
const page = `<!doctype html>\n<title>Welcome</title>\n<p>Served by ${hostname()}.</p>\n`

let stopping = false
const server = createServer((request, response) => {
  request.resume()
  if (stopping) response.setHeader('connection', 'close')
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
