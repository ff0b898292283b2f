// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import org.keycloak.common.Profile;

/** Keycloak's own CIMD, an experimental feature since 26.6. */
final class NativeFeature {
    private NativeFeature() {
    }

    /** By name, because older releases have no such constant. */
    static boolean enabled() {
        for (Profile.Feature one : Profile.Feature.values()) {
            if (one.name().equals("CIMD")) {
                return Profile.isFeatureEnabled(one);
            }
        }
        return false;
    }
}
