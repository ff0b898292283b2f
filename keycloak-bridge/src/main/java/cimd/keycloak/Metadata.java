// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jboss.logging.Logger;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.protocol.oidc.representations.OIDCConfigurationRepresentation;
import org.keycloak.wellknown.WellKnownProvider;

/**
 * Keycloak's metadata, and in realms where the bridge is on what clients
 * look for before they send a URL as client_id.
 *
 * <p>A client reads this first, so that the component is made here, too.
 */
final class Metadata implements WellKnownProvider {
    static final String SUPPORTED = "client_id_metadata_document_supported";
    private static final String METHODS =
        "token_endpoint_auth_methods_supported";
    private static final Logger LOG = Logger.getLogger("cimd.keycloak");

    private final KeycloakSession session;
    private final WellKnownProvider own;

    Metadata(KeycloakSession session, WellKnownProvider own) {
        this.session = session;
        this.own = own;
    }

    @Override
    public Object getConfig() {
        Object config = own.getConfig();
        try {
            RealmModel realm = session.getContext().getRealm();
            if (RealmState.of(session, realm).accepts()) {
                Component.ensure(session, realm);
                return extended(config);
            }
        } catch (RuntimeException | LinkageError e) {
            // Other clients need this document, whatever is wrong with us.
            LOG.error("cimd: the metadata cannot be extended", e);
        }
        return config;
    }

    @Override
    public void close() {
        own.close();
    }

    private static Object extended(Object config) {
        if (config instanceof OIDCConfigurationRepresentation oidc) {
            oidc.setOtherClaims(SUPPORTED, true);
            oidc.setTokenEndpointAuthMethodsSupported(
                withNone(oidc.getTokenEndpointAuthMethodsSupported()));
        } else if (config instanceof Map<?, ?> map) {
            extend(map);
        }
        return config;
    }

    /** A map is what an administrator's override leaves. */
    @SuppressWarnings("unchecked")
    private static void extend(Map<?, ?> map) {
        Map<String, Object> values = (Map<String, Object>) map;
        values.put(SUPPORTED, true);
        if (values.get(METHODS) instanceof List<?> methods) {
            values.put(METHODS, withNone((List<String>) methods));
        }
    }

    private static List<String> withNone(List<String> methods) {
        if (methods == null || methods.contains("none")) {
            return methods;
        }
        List<String> all = new ArrayList<>(methods);
        all.add("none");
        return all;
    }
}
