import { expect, test } from 'vitest'
import { figuresOf } from './figures.ts'

test('reads what Envoy says of itself, and knows what it does not say', () => {
  const text = `# TYPE envoy_control_plane_connected_state gauge
envoy_control_plane_connected_state{} 1
envoy_server_state{} 0
envoy_listener_manager_total_listeners_active{} 4
envoy_listener_manager_total_listeners_warming{} 1
envoy_cluster_manager_warming_clusters{} 2
envoy_cluster_manager_cds_update_rejected{} 0
envoy_listener_manager_lds_update_rejected{} 3
envoy_http_scoped_rds_update_rejected{envoy_http_conn_manager_prefix="ingress_http"} 2
envoy_http_rds_update_rejected{envoy_rds_route_config="ingress_http"} 1
`
  expect(figuresOf(text)).toEqual({ connected: true, state: 'live', listeners: 4, warming: 3, refused: 6 })
  const none = { connected: undefined, state: undefined, listeners: undefined, warming: undefined }
  expect(figuresOf('')).toEqual({ ...none, refused: undefined })
})
