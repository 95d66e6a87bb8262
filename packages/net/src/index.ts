/**
 * What Node.js cannot do with sockets, by system calls: packets with a filter, interfaces by netlink, TCP with MD5,
 * TTL and device, multicast groups. Linux only; the one package that calls foreign functions.
 */
export {
  type AllowedSender,
  arpRequests,
  bfdEchoes,
  neighborSolicitations,
  routerAdvertisements,
} from './bpf.ts'
export { type Interface, type InterfaceWatch, listInterfaces, watchInterfaces } from './interfaces.ts'
export { closeFd as releaseConnection, SystemError, shutFd as shutConnection } from './libc.ts'
export { ethernetNeighbor } from './neighbors.ts'
export { OwnKernel } from './own-kernel.ts'
export { PacketRing, type PacketRingOptions } from './packet-ring.ts'
export { PacketSocket, type PacketSocketOptions } from './packet-socket.ts'
export { SolicitedNodeGroups } from './solicited-node-groups.ts'
export {
  type ConnectOptions,
  type ListenOptions,
  limitConnection,
  listenTcp,
  openTcpSocket,
  shareConnection,
  TcpListener,
} from './tcp.ts'
export { type TcpProgress, tcpProgress } from './tcp-progress.ts'
export { type UdpOptions, UdpSocket } from './udp.ts'
