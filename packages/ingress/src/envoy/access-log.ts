/** Access logs in Envoy's own line format. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AccessLogSchema } from '@envoyproxy/envoy-types/envoy/config/accesslog/v3/accesslog'
import { FileAccessLogSchema } from '@envoyproxy/envoy-types/envoy/extensions/access_loggers/file/v3/file'
import { typed } from './message.ts'

/** @param path '' for none */
export function fileAccessLog(path: string): MessageInitShape<typeof AccessLogSchema>[] {
  if (path === '') return []
  const log = typed('envoy.access_loggers.file', FileAccessLogSchema, { path })
  return [{ name: log.name, configType: { case: 'typedConfig', value: log.typedConfig } }]
}
