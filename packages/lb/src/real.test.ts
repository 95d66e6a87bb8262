/** A term as leader on a real API server: what stands in Services and in the controller's own objects afterwards. */
import * as api from '@landfall/api'
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { type Cluster, configMapType, customType, type KubeObject, type RawObject, type ResourceType } from '@landfall/kube'
