export { arpRequests, neighborSolicitations } from './bpf.ts'
export {
  type Interface,
  type InterfaceAddress,
  type InterfaceWatch,
  listInterfaces,
  watchInterfaces,
} from './interfaces.ts'
export { SystemError } from './libc.ts'
export { MulticastGroups } from './multicast.ts'
export { PacketSocket, type PacketSocketOptions } from './packet-socket.ts'
export { isLinkLocal } from './sockaddr.ts'
export * from './tcp.ts'
