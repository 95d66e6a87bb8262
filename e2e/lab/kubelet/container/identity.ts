// Who a container's process is: uid, gid, groups, capabilities and no_new_privs, from the security
// contexts of pod and container (the container's wins) and the image's own user.
import type { Container, Pod } from '../api/pod.ts'
import { capabilitySet } from './capabilities.ts'

export interface ProcessIdentity {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups, fsGroup among them. */
  readonly groups: readonly number[]
  readonly capabilities: readonly string[]
  readonly noNewPrivileges: boolean
}

export type IdentityOutcome =
  | { readonly ok: true; readonly identity: ProcessIdentity }
  | { readonly ok: false; readonly problems: readonly string[] }

export function processIdentity(pod: Pod, container: Container, imageUser: number): IdentityOutcome {
  const shared = pod.spec.securityContext ?? {}
  const own = container.securityContext ?? {}
  const uid = own.runAsUser ?? shared.runAsUser ?? imageUser
  const problems: string[] = []
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) === true && uid === 0) {
    problems.push(`container ${container.name} has runAsNonRoot and would run as uid 0`)
  }
  const set = capabilitySet({
    ...own.capabilities,
    ...(own.privileged === undefined ? {} : { privileged: own.privileged }),
  })
  if (!set.ok) problems.push(...set.problems.map((problem) => `container ${container.name}: ${problem}`))
  if (!set.ok || problems.length > 0) return { ok: false, problems }
  const groups = [
    ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
    ...(shared.supplementalGroups ?? []),
  ]
  return {
    ok: true,
    identity: {
      uid,
      gid: own.runAsGroup ?? shared.runAsGroup ?? 0,
      groups: [...new Set(groups)].toSorted((a, b) => a - b),
      capabilities: set.capabilities,
      noNewPrivileges: own.allowPrivilegeEscalation === false,
    },
  }
}

/** setpriv's arguments that turn root with all capabilities into `identity` for the program after it. */
export function setprivArguments(identity: ProcessIdentity): readonly string[] {
  return [
    `--reuid=${identity.uid}`,
    `--regid=${identity.gid}`,
    identity.groups.length === 0 ? '--clear-groups' : `--groups=${identity.groups.join(',')}`,
    '--inh-caps=-all',
    '--ambient-caps=-all',
    `--bounding-set=${['-all', ...identity.capabilities.map((name) => `+${name}`)].join(',')}`,
    ...(identity.noNewPrivileges ? ['--no-new-privs'] : []),
    // A container never outlives its kubelet, even one that was killed.
    '--pdeathsig=KILL',
  ]
}
