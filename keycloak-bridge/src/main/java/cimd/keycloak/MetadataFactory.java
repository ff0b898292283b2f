// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import org.keycloak.Config;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.provider.ProviderFactory;
import org.keycloak.wellknown.WellKnownProvider;
import org.keycloak.wellknown.WellKnownProviderFactory;

/**
 * Stands in front of one of Keycloak's own metadata documents.
 *
 * <p>Keycloak takes the factory with the lowest priority for a name. Whatever
 * it does by itself, and whatever an administrator set for it, goes on; what
 * such clients look for is added.
 */
abstract class MetadataFactory implements WellKnownProviderFactory {
    static final String OIDC = "openid-configuration";
    private static final int BEFORE_BUILT_IN = 50;

    private final String builtIn;

    /** @param builtIn the id of Keycloak's own factory */
    MetadataFactory(String builtIn) {
        this.builtIn = builtIn;
    }

    @Override
    public final String getId() {
        return "cimd-" + builtIn;
    }

    @Override
    public final String getAlias() {
        return builtIn;
    }

    @Override
    public final int getPriority() {
        return BEFORE_BUILT_IN;
    }

    /** Asked for since 26.4: no annotation. */
    public final boolean isAvailableViaServerMetadata() {
        return builtIn.equals("oauth-authorization-server");
    }

    @Override
    public final WellKnownProvider create(KeycloakSession session) {
        return new Metadata(session, own(session.getKeycloakSessionFactory())
            .create(session));
    }

    /** Keycloak 24 has no factory for RFC 8414; OIDC's is a superset. */
    private ProviderFactory<WellKnownProvider> own(
        KeycloakSessionFactory factory) {
        ProviderFactory<WellKnownProvider> found =
            factory.getProviderFactory(WellKnownProvider.class, builtIn);
        return found != null ? found
            : factory.getProviderFactory(WellKnownProvider.class, OIDC);
    }

    @Override
    public final void init(Config.Scope config) {
        // Options belong to Keycloak's own factory.
    }

    @Override
    public final void postInit(KeycloakSessionFactory factory) {
        // Nothing to listen to.
    }

    @Override
    public final void close() {
        // Nothing is held.
    }
}
