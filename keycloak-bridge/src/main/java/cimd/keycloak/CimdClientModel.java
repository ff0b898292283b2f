// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.keycloak.models.ClientScopeModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.ProtocolMapperModel;
import org.keycloak.models.RealmModel;
import org.keycloak.models.RoleModel;
import org.keycloak.protocol.oidc.OIDCLoginProtocol;
import org.keycloak.storage.client.AbstractReadOnlyClientStorageAdapter;
import org.keycloak.storage.client.ClientStorageProviderModel;

/**
 * A client as Keycloak sees it: what cimdd accepted, and what we insist on.
 *
 * <p>Without a record it is disabled, and there only so that consents and
 * sessions can be shown and ended. What a document could not say is not
 * taken from Keycloak's defaults but written down here.
 */
final class CimdClientModel extends AbstractReadOnlyClientStorageAdapter {
    static final String JWKS = "jwks.string";

    private final String clientId;
    private final ClientRecord record;
    private final Settings settings;
    private final Map<String, String> attributes;

    /**
     * @param record null for a client that is disabled
     * @param settings null where no policy is about it; then it is disabled
     */
    CimdClientModel(KeycloakSession session, RealmModel realm,
        ClientStorageProviderModel component, String clientId,
        ClientRecord record, Settings settings) {
        super(session, realm, component);
        this.clientId = clientId;
        this.record = settings == null ? null : record;
        this.settings = settings;
        this.attributes = attributes(this.record);
    }

    private static Map<String, String> attributes(ClientRecord record) {
        Map<String, String> all = new HashMap<>();
        all.put("pkce.code.challenge.method", "S256");
        // On the screen it would become a row, for which its id is too long.
        all.put("display.on.consent.screen", "false");
        all.put("oauth2.device.authorization.grant.enabled", "false");
        all.put("oidc.ciba.grant.enabled", "false");
        all.put("use.refresh.tokens", Boolean.toString(record != null
            && record.grants().contains("refresh_token")));
        if (record != null && record.dpop()) {
            all.put("dpop.bound.access.tokens", "true");
        }
        if (record != null && record.hasKeys()) {
            all.put("use.jwks.string", "true");
            all.put(JWKS, record.jwks());
            if (record.signingAlg() != null) {
                all.put("token.endpoint.auth.signing.alg",
                    record.signingAlg());
            }
        }
        return Map.copyOf(all);
    }

    @Override
    public String getId() {
        return "f:" + component.getId() + ":" + ClientIds.external(clientId);
    }

    @Override
    public String getClientId() {
        return clientId;
    }

    @Override
    public String getName() {
        return ClientName.of(session, clientId, record);
    }

    @Override
    public String getDescription() {
        return null;
    }

    @Override
    public boolean isEnabled() {
        return record != null;
    }

    @Override
    public boolean isAlwaysDisplayInConsole() {
        return false;
    }

    @Override
    public Set<String> getWebOrigins() {
        return record == null ? Set.of()
            : RedirectUris.origins(record.redirectUris());
    }

    @Override
    public Set<String> getRedirectUris() {
        return record == null ? Set.of() : RedirectUris.forKeycloak(
            record.redirectUris(), record.anyPort());
    }

    @Override
    public String getManagementUrl() {
        return null;
    }

    @Override
    public String getRootUrl() {
        return null;
    }

    @Override
    public String getBaseUrl() {
        return null;
    }

    @Override
    public boolean isBearerOnly() {
        return false;
    }

    @Override
    public int getNodeReRegistrationTimeout() {
        return 0;
    }

    /** A public client has one as well, or Keycloak complains each time. */
    @Override
    public String getClientAuthenticatorType() {
        return attributes.containsKey(JWKS) ? "client-jwt" : "client-secret";
    }

    @Override
    public boolean validateSecret(String secret) {
        return false;
    }

    @Override
    public String getSecret() {
        return null;
    }

    @Override
    public String getRegistrationToken() {
        return null;
    }

    @Override
    public String getProtocol() {
        return OIDCLoginProtocol.LOGIN_PROTOCOL;
    }

    @Override
    public String getAttribute(String name) {
        return attributes.get(name);
    }

    @Override
    public Map<String, String> getAttributes() {
        return attributes;
    }

    @Override
    public String getAuthenticationFlowBindingOverride(String binding) {
        return null;
    }

    @Override
    public Map<String, String> getAuthenticationFlowBindingOverrides() {
        return Map.of();
    }

    @Override
    public boolean isFrontchannelLogout() {
        return false;
    }

    @Override
    public boolean isFullScopeAllowed() {
        return false;
    }

    /**
     * A client with keys and "none" may use either: one that sends an
     * assertion is held to it, one that sends none passes as public. Without
     * "none" no client is public, whatever its document lacks.
     */
    @Override
    public boolean isPublicClient() {
        return record == null || record.methods().contains("none")
            && !(record.hasKeys() && Requests.hasAssertion(session));
    }

    @Override
    public boolean isConsentRequired() {
        return true;
    }

    @Override
    public boolean isStandardFlowEnabled() {
        return record != null
            && record.grants().contains("authorization_code");
    }

    @Override
    public boolean isImplicitFlowEnabled() {
        return false;
    }

    @Override
    public boolean isDirectAccessGrantsEnabled() {
        return false;
    }

    @Override
    public boolean isServiceAccountsEnabled() {
        return false;
    }

    @Override
    public Map<String, ClientScopeModel> getClientScopes(
        boolean defaultScope) {
        return record == null ? new TreeMap<>()
            : Scopes.of(realm, record, settings, defaultScope);
    }

    @Override
    public int getNotBefore() {
        return 0;
    }

    @Override
    public Stream<ProtocolMapperModel> getProtocolMappersStream() {
        return record == null || settings.audiences().isEmpty()
            ? Stream.empty()
            : Stream.of(ResourceAudienceMapper.model(settings.audiences()));
    }

    @Override
    public ProtocolMapperModel getProtocolMapperById(String id) {
        return getProtocolMappersStream()
            .filter(m -> m.getId().equals(id)).findFirst().orElse(null);
    }

    /** Not in 24: no annotation. */
    public List<ProtocolMapperModel> getProtocolMapperByType(String type) {
        return getProtocolMappersStream()
            .filter(m -> m.getProtocolMapper().equals(type)).toList();
    }

    @Override
    public ProtocolMapperModel getProtocolMapperByName(String protocol,
        String name) {
        return getProtocolMappersStream()
            .filter(m -> m.getProtocol().equals(protocol)
                && m.getName().equals(name)).findFirst().orElse(null);
    }

    @Override
    public Stream<RoleModel> getScopeMappingsStream() {
        return Stream.empty();
    }

    @Override
    public Stream<RoleModel> getRealmScopeMappingsStream() {
        return Stream.empty();
    }

    @Override
    public boolean hasScope(RoleModel role) {
        return false;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CimdClientModel c
            && c.getId().equals(getId());
    }

    @Override
    public int hashCode() {
        return Objects.hash(clientId);
    }
}
