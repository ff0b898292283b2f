// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.keycloak.models.ClientScopeModel;
import org.keycloak.models.RealmModel;

/**
 * Which of the realm's client scopes a client has.
 *
 * <p>Those that the realm gives every new client, under the policy's ceiling.
 * What a document says about scopes is no more than a wish. Scopes that never
 * show in a token ("basic", "acr", "roles", "web-origins") are how Keycloak
 * makes tokens, and stay.
 */
final class Scopes {
    private static final String OIDC = "openid-connect";

    private Scopes() {
    }

    static Map<String, ClientScopeModel> of(RealmModel realm,
        ClientRecord record, Settings settings, boolean defaultScope) {
        Map<String, ClientScopeModel> all = new TreeMap<>();
        realm.getDefaultClientScopesStream(defaultScope)
            .filter(s -> OIDC.equals(s.getProtocol()))
            .filter(s -> allowed(s, settings))
            .forEach(s -> all.put(s.getName(), s));
        if (!defaultScope && !settings.scopes().isEmpty()) {
            addNamed(realm, settings, all);
        }
        return all;
    }

    /** What the policy names and the realm has, though not for everybody. */
    private static void addNamed(RealmModel realm, Settings settings,
        Map<String, ClientScopeModel> all) {
        Set<String> named = Set.copyOf(settings.scopes());
        realm.getClientScopesStream()
            .filter(s -> OIDC.equals(s.getProtocol()))
            .filter(s -> named.contains(s.getName()))
            .filter(s -> realm.getDefaultClientScopesStream(true)
                .noneMatch(d -> d.getId().equals(s.getId())))
            .forEach(s -> all.putIfAbsent(s.getName(), s));
    }

    private static boolean allowed(ClientScopeModel scope,
        Settings settings) {
        return settings.scopes().isEmpty()
            || !scope.isIncludeInTokenScope()
            || settings.scopes().contains(scope.getName());
    }
}
