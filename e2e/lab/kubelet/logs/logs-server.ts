// What the API server asks of a node: HTTPS on port 10250 with `/containerLogs/<namespace>/<pod>/
// <container>`, `/pods` and `/healthz`. The certificate is self-signed and nobody is authenticated:
// the port exists only inside the lab.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { run } from '../process/command.ts'
import type { LogFile, LogFiles } from './log-files.ts'
import { type LogQuery, lastLines, logSpan, parseLogQuery, withTimestamps } from './log-query.ts'

export interface LogsServerOptions {
  readonly directory: string
  readonly port: number
  readonly logs: LogFiles
  /** The log's key; undefined when the node has no such container. */
  readonly logKey: (namespace: string, pod: string, container: string) => string | undefined
  readonly pods: () => unknown
}

export async function startLogsServer(options: LogsServerOptions): Promise<Server> {
  const key = join(options.directory, 'kubelet.key')
  const cert = join(options.directory, 'kubelet.crt')
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await run('openssl', [...request, '-days', '2', '-subj', '/CN=kubelet', '-keyout', key, '-out', cert])
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, answer) => {
    route(options, incoming, answer).catch((problem: unknown) => {
      if (!answer.headersSent) answer.writeHead(500)
      answer.end(String(problem))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '::', resolve)
  })
  return server
}

async function route(
  options: LogsServerOptions,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'https://node')
  const [, what, namespace = '', pod = '', container = ''] = url.pathname.split('/')
  if (what === 'healthz') {
    answer.end('ok')
  } else if (what === 'pods') {
    answer.setHeader('content-type', 'application/json').end(JSON.stringify(options.pods()))
  } else if (what === 'containerLogs') {
    const key = options.logKey(namespace, pod, container)
    await sendLog(options.logs, key, parseLogQuery(url.searchParams, Date.now()), incoming, answer)
  } else {
    answer.writeHead(404).end('the lab has only logs here\n')
  }
}

async function sendLog(
  logs: LogFiles,
  key: string | undefined,
  query: LogQuery,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const file = key === undefined ? undefined : logs.get(key)
  const span = file && logSpan(file, query)
  if (key === undefined || file === undefined || span === undefined) {
    answer.writeHead(400).end('there is no such log\n')
    return
  }
  answer.writeHead(200, { 'content-type': 'text/plain' })
  const whole = await text(logs, file, span.from, span.to)
  const part = query.tailLines === undefined ? whole : lastLines(whole, query.tailLines)
  const begin = span.to - Buffer.byteLength(part)
  const shown = query.timestamps ? withTimestamps(part, begin, file.marks) : part
  answer.write(query.limitBytes === undefined ? shown : Buffer.from(shown).subarray(0, query.limitBytes))
  if (query.follow && !query.previous) await follow(logs, key, query, span.to, incoming, answer)
  answer.end()
}

/** Until the reader goes or the log is closed. */
async function follow(
  logs: LogFiles,
  key: string,
  query: LogQuery,
  from: number,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  let position = from
  let wake: () => void = () => {}
  const unfollow = logs.follow(key, () => wake())
  answer.on('close', () => wake())
  while (!answer.destroyed && !incoming.destroyed) {
    const file = logs.get(key)
    if (file === undefined) break
    if (file.size < position) position = 0
    if (file.size > position) {
      const to = file.size
      const more = await text(logs, file, position, to)
      answer.write(query.timestamps ? withTimestamps(more, position, file.marks) : more)
      position = to
      continue
    }
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  unfollow()
}

async function text(logs: LogFiles, file: LogFile, from: number, to: number): Promise<string> {
  if (to <= from) return ''
  const chunks: Buffer[] = []
  for await (const chunk of logs.read(file, from, to)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
