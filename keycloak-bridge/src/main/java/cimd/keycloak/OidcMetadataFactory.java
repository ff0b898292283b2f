// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

/** {@code /realms/R/.well-known/openid-configuration}. */
public final class OidcMetadataFactory extends MetadataFactory {
    /** For Keycloak. */
    public OidcMetadataFactory() {
        super(OIDC);
    }
}
