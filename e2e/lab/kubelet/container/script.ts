// The shell script that makes a container's root and becomes its program. It runs in a mount
// namespace and a UTS namespace of its own: an overlay over the machine's root on a tmpfs (both gone
// with the namespace), fresh /proc, /sys, /dev, /tmp and /run, then the binds, then chroot → setpriv →
// env → program by exec, so that the pid stays the same. In: a ContainerPlan. Out: the text.
import { type ProcessIdentity, setprivArguments } from './identity.ts'

export interface Mount {
  readonly source: string
  /** In the container, without symbolic links. */
  readonly target: string
  readonly kind: 'file' | 'directory'
  readonly readOnly: boolean
  /** Takes what is mounted below the source along. */
  readonly recursive?: boolean
}

export interface ContainerPlan {
  readonly hostname: string
  /** Path of the pod's network namespace; undefined for the node's own. */
  readonly networkNamespace: string | undefined
  readonly mounts: readonly Mount[]
  readonly identity: ProcessIdentity
  readonly environment: ReadonlyMap<string, string>
  readonly argv: readonly string[]
  readonly workingDirectory: string
  readonly readOnlyRoot: boolean
  /** May write /proc/sys and /sys. */
  readonly privileged: boolean
}

/** `scratch` is an empty directory for this run of the container alone. */
export function containerScript(plan: ContainerPlan, scratch: string): string {
  const root = `${scratch}/root`
  const mounts = plan.mounts.toSorted((a, b) => depth(a.target) - depth(b.target))
  const mounted = new Set(mounts.map((mount) => mount.target))
  const fresh = [
    { target: '/tmp', mode: '1777' },
    { target: '/run', mode: '755' },
  ].filter(({ target }) => !mounted.has(target))
  return [
    'set -eu',
    `printf %s ${quote(plan.hostname)} > /proc/sys/kernel/hostname`,
    `mount -t tmpfs -o mode=755 tmpfs ${quote(scratch)}`,
    `cd ${quote(scratch)}`,
    'mkdir upper work root',
    'mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root',
    ...kernelFilesystems(plan.privileged),
    ...fresh.map(({ target, mode }) => `mount -t tmpfs -o mode=${mode} tmpfs root${target}`),
    ...mounts.flatMap(bind),
    `mkdir -p ${quote(`root${plan.workingDirectory}`)}`,
    // A target may lie inside another read-only volume, so nothing is read-only before all are bound.
    ...mounts.filter((mount) => mount.readOnly).map((mount) => readOnly(mount.target)),
    ...(plan.readOnlyRoot ? [...fresh.map(({ target }) => readOnly(target)), readOnly('')] : []),
    `exec chroot ${quote(root)} ${becomeProgram(plan).map(quote).join(' ')}`,
    '',
  ].join('\n')
}

/** What follows chroot: also what a probe or a hook runs inside a living container. */
export function becomeProgram(
  plan: Pick<ContainerPlan, 'identity' | 'environment' | 'argv' | 'workingDirectory'>,
): readonly string[] {
  const variables = [...plan.environment].map(([name, value]) => `${name}=${value}`)
  return [
    'setpriv',
    ...setprivArguments(plan.identity),
    'env',
    '-i',
    '-C',
    plan.workingDirectory,
    '--',
    ...variables,
    ...plan.argv,
  ]
}

function kernelFilesystems(privileged: boolean): readonly string[] {
  return [
    'mount -t proc proc root/proc',
    ...(privileged ? [] : ['mount --bind root/proc/sys root/proc/sys', readOnly('/proc/sys')]),
    `mount -t sysfs -o ${privileged ? 'rw' : 'ro'} sysfs root/sys`,
    'mount -t tmpfs -o mode=755 tmpfs root/dev',
    'mkdir root/dev/pts root/dev/shm',
    'cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty root/dev/',
    'mount --bind /dev/pts root/dev/pts',
    'mount -t tmpfs -o mode=1777 tmpfs root/dev/shm',
    'ln -s /proc/self/fd root/dev/fd',
    'ln -s /proc/self/fd/0 root/dev/stdin',
    'ln -s /proc/self/fd/1 root/dev/stdout',
    'ln -s /proc/self/fd/2 root/dev/stderr',
  ]
}

function bind(mount: Mount): readonly string[] {
  const target = `root${mount.target}`
  const parent = target.slice(0, target.lastIndexOf('/'))
  const flag = mount.recursive === true ? '--rbind' : '--bind'
  return [
    mount.kind === 'directory'
      ? `mkdir -p ${quote(target)}`
      : `[ -e ${quote(target)} ] || { mkdir -p ${quote(parent)}; : > ${quote(target)}; }`,
    `mount ${flag} ${quote(mount.source)} ${quote(target)}`,
  ]
}

function readOnly(target: string): string {
  return `mount -o remount,bind,ro ${quote(`root${target}`)}`
}

function depth(path: string): number {
  return path.split('/').length
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
