/** Access logs: Envoy's own line, a line of one's own, or JSON; of all requests or of failed ones. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type AccessLogSchema,
  ComparisonFilter_Op,
} from '@envoyproxy/envoy-types/envoy/config/accesslog/v3/accesslog'
import { FileAccessLogSchema } from '@envoyproxy/envoy-types/envoy/extensions/access_loggers/file/v3/file'
import { MetadataSchema } from '@envoyproxy/envoy-types/envoy/extensions/formatter/metadata/v3/metadata'
import { ReqWithoutQuerySchema } from '@envoyproxy/envoy-types/envoy/extensions/formatter/req_without_query/v3/req_without_query'
import { typed } from './message.ts'
import type { AccessLog, LogFormat } from './options.ts'

type AccessLogInit = MessageInitShape<typeof AccessLogSchema>
type Format = Pick<MessageInitShape<typeof FileAccessLogSchema>, 'accessLogFormat'>

/**
 * @param path '' for none
 * @param of streams have no status, and are logged unless nothing is
 */
export function fileAccessLog(
  path: string,
  { format, leastStatus }: AccessLog,
  of: 'http' | 'tcp',
): AccessLogInit[] {
  if (path === '' || leastStatus === undefined) return []
  const log = typed('envoy.access_loggers.file', FileAccessLogSchema, { path, ...shape(format) })
  return [
    {
      name: log.name,
      configType: { case: 'typedConfig', value: log.typedConfig },
      ...(of === 'tcp' ? {} : filter(leastStatus)),
    },
  ]
}

function shape(format: LogFormat): Format {
  if (format.kind === 'default') return {}
  const line =
    format.kind === 'json'
      ? { case: 'jsonFormat' as const, value: { ...format.fields } }
      : {
          case: 'textFormatSource' as const,
          value: { specifier: { case: 'inlineString' as const, value: format.line } },
        }
  const written = format.kind === 'json' ? Object.values(format.fields).join('') : format.line
  return { accessLogFormat: { case: 'logFormat', value: { format: line, formatters: formatters(written) } } }
}

/** What brings operators that an Envoy does not have of itself: up to 1.33 METADATA, REQ_WITHOUT_QUERY none has. */
function formatters(written: string): ReturnType<typeof typed>[] {
  return [
    ...(written.includes('%METADATA(') ? [typed('envoy.formatter.metadata', MetadataSchema, {})] : []),
    ...(written.includes('%REQ_WITHOUT_QUERY(')
      ? [typed('envoy.formatter.req_without_query', ReqWithoutQuerySchema, {})]
      : []),
  ]
}

function filter(leastStatus: number): Pick<AccessLogInit, 'filter'> {
  if (leastStatus === 0) return {}
  const value = { defaultValue: leastStatus, runtimeKey: 'ingress.access_log.least_status' }
  return {
    filter: {
      filterSpecifier: {
        case: 'statusCodeFilter',
        value: { comparison: { op: ComparisonFilter_Op.GE, value } },
      },
    },
  }
}
