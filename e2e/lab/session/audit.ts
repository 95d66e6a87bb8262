// What the API server was asked, and by whom, from its audit log (`createLab({ audit: true })`).
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { files } from '../control/flags.ts'
import { labPaths } from '../state/lab-state.ts'

export interface AskedRequest {
  readonly id: string
  readonly user: string
  /** Whose token it was; '' for who is no pod. */
  readonly pod: string
  readonly at: Date
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` */
  readonly verb: string
  readonly apiGroup: string
  /** With its sub-resource: `services/status`; '' for what is no resource. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly code: number
}

interface AuditEvent {
  readonly auditID: string
  readonly requestReceivedTimestamp: string
  readonly verb: string
  readonly user: {
    readonly username: string
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  readonly responseStatus?: { readonly code?: number }
  readonly objectRef?: {
    readonly resource?: string
    readonly subresource?: string
    readonly apiGroup?: string
    readonly namespace?: string
    readonly name?: string
  }
}

/** Each request once, in the order in which they were answered. */
export function readAudit(labId: string): readonly AskedRequest[] {
  const file = join(labPaths(labId).control, files.auditLog)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const requests = new Map<string, AskedRequest>()
  for (const line of lines) {
    const event = parse(line)
    if (event !== undefined && !requests.has(event.auditID)) requests.set(event.auditID, asked(event))
  }
  return [...requests.values()]
}

/** The last line may not be whole yet. */
function parse(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function asked(event: AuditEvent): AskedRequest {
  const { objectRef = {}, responseStatus = {}, user, verb, auditID } = event
  const { resource = '', subresource, apiGroup = '', namespace = '', name = '' } = objectRef
  return {
    id: auditID,
    user: user.username,
    pod: user.extra?.['authentication.kubernetes.io/pod-name']?.[0] ?? '',
    at: new Date(event.requestReceivedTimestamp),
    verb,
    apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: responseStatus.code ?? 0,
  }
}
