// The host ports of a pod; none for a pod in the node's own network, whose ports already are.
import type { Pod } from '../api/pod.ts'
import type { HostPort } from '../network/host-ports.ts'

export function hostPortsOf(pod: Pod, podIPs: readonly [string, string]): readonly HostPort[] {
  if (pod.spec.hostNetwork === true) return []
  return pod.spec.containers.flatMap((container) =>
    (container.ports ?? []).flatMap((port) =>
      port.hostPort === undefined || port.hostPort === 0 || port.protocol === 'SCTP'
        ? []
        : [
            {
              hostIP: port.hostIP,
              hostPort: port.hostPort,
              protocol: port.protocol === 'UDP' ? ('udp' as const) : ('tcp' as const),
              podPort: port.containerPort,
              podIPs,
            },
          ],
    ),
  )
}
