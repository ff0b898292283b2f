// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

/** {@code /realms/R/.well-known/oauth-authorization-server} (RFC 8414). */
public final class OAuthMetadataFactory extends MetadataFactory {
    /** For Keycloak. */
    public OAuthMetadataFactory() {
        super("oauth-authorization-server");
    }
}
