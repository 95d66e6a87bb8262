// The capability set of a container: containerd's default set, then `drop`, then `add`.
// The names are lower case without CAP_, as setpriv(1) takes them.

/** containerd's default set. */
const DEFAULT = [
  'chown',
  'dac_override',
  'fsetid',
  'fowner',
  'mknod',
  'net_raw',
  'setgid',
  'setuid',
  'setfcap',
  'setpcap',
  'net_bind_service',
  'sys_chroot',
  'kill',
  'audit_write',
] as const

const OTHER = [
  'dac_read_search',
  'linux_immutable',
  'net_broadcast',
  'net_admin',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'lease',
  'audit_control',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
] as const

const ALL: readonly string[] = [...DEFAULT, ...OTHER]

export type CapabilitySet =
  | { readonly ok: true; readonly capabilities: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Sorted; a privileged container has all. A name that is no capability is a problem, not ignored. */
export function capabilitySet(change: {
  readonly add?: readonly string[]
  readonly drop?: readonly string[]
  readonly privileged?: boolean
}): CapabilitySet {
  const add = (change.add ?? []).map(normalize)
  const drop = (change.drop ?? []).map(normalize)
  const unknown = [...add, ...drop].filter((name) => name !== 'all' && !ALL.includes(name))
  if (unknown.length > 0) return { ok: false, problems: unknown.map((name) => `unknown capability ${name}`) }
  if (change.privileged === true) return { ok: true, capabilities: ALL.toSorted() }
  const set = new Set<string>(add.includes('all') ? ALL : drop.includes('all') ? [] : DEFAULT)
  for (const name of drop) if (!(drop.includes('all') && add.includes('all'))) set.delete(name)
  for (const name of add) if (name !== 'all') set.add(name)
  return { ok: true, capabilities: [...set].toSorted() }
}

function normalize(name: string): string {
  return name.toLowerCase().replace(/^cap_/, '')
}
