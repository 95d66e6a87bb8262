// One check of a probe, or one run of a lifecycle hook: exec, httpGet, tcpSocket, grpc, sleep.
// Out: undefined when it succeeded, else why not.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Action, Container, HttpGet, Probe } from '../api/pod.ts'
import { checkGrpcHealth } from './grpc-health.ts'

export interface CheckTarget {
  readonly container: Container
  readonly podIP: string
  readonly exec: (
    argv: readonly string[],
    timeoutMs: number,
  ) => Promise<{ readonly code: number; readonly output: string }>
}

export async function check(
  action: Action & Pick<Probe, 'grpc'>,
  target: CheckTarget,
  timeoutMs: number,
): Promise<string | undefined> {
  if (action.exec !== undefined) {
    const { code, output } = await target.exec(action.exec.command ?? [], timeoutMs)
    return code === 0 ? undefined : `command ended with ${code}: ${output.trim().slice(0, 500)}`
  }
  if (action.httpGet !== undefined) return checkHttp(action.httpGet, target, timeoutMs)
  if (action.tcpSocket !== undefined) {
    const port = portNumber(target.container, action.tcpSocket.port)
    if (port === undefined) return `no port named ${action.tcpSocket.port}`
    return checkTcp(action.tcpSocket.host ?? target.podIP, port, timeoutMs)
  }
  if (action.grpc !== undefined) {
    return checkGrpcHealth(target.podIP, action.grpc.port, action.grpc.service ?? '', timeoutMs)
  }
  if (action.sleep !== undefined) {
    const { seconds } = action.sleep
    await new Promise((resolve) => setTimeout(resolve, Math.min(seconds * 1000, timeoutMs)))
  }
  return undefined
}

export function portNumber(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port
  const named = container.ports?.find((p) => p.name === port)?.containerPort
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined)
}

function checkHttp(get: HttpGet, target: CheckTarget, timeoutMs: number): Promise<string | undefined> {
  const port = portNumber(target.container, get.port)
  if (port === undefined) return Promise.resolve(`no port named ${get.port}`)
  const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]))
  return new Promise((resolve) => {
    const options = {
      host: get.host ?? target.podIP,
      port,
      path: get.path ?? '/',
      headers: { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close', ...headers },
      agent: false as const,
      // The kubelet does not verify what it probes.
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(timeoutMs),
    }
    const call = (get.scheme === 'HTTPS' ? httpsRequest : httpRequest)(options, (answer) => {
      const status = answer.statusCode ?? 0
      answer.resume()
      answer.on('error', () => {})
      resolve(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`)
    })
    call.on('error', (error) =>
      resolve(error.name === 'AbortError' ? `no answer within ${timeoutMs} ms` : error.message),
    )
    call.end()
  })
}

function checkTcp(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (problem: string | undefined) => {
      socket.destroy()
      resolve(problem)
    }
    socket.setTimeout(timeoutMs, () => end(`no connection within ${timeoutMs} ms`))
    socket.on('connect', () => end(undefined))
    socket.on('error', (error) => end(error.message))
  })
}
