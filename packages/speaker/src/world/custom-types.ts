/** The metallb.io kinds as the API server client knows them. */
import * as api from '@landfall/api'
import { customType } from '@landfall/kube'

export const poolType = customType<api.IPAddressPool>(api.ipAddressPool)
export const l2AdvertisementType = customType<api.L2Advertisement>(api.l2Advertisement)
export const bgpAdvertisementType = customType<api.BGPAdvertisement>(api.bgpAdvertisement)
export const peerType = customType<api.BGPPeer>(api.bgpPeer)
export const bfdProfileType = customType<api.BFDProfile>(api.bfdProfile)
export const communityType = customType<api.Community>(api.community)
