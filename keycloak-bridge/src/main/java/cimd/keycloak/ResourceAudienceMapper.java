// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.keycloak.models.AuthenticatedClientSessionModel;
import org.keycloak.models.ClientSessionContext;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.ProtocolMapperModel;
import org.keycloak.models.UserSessionModel;
import org.keycloak.protocol.oidc.mappers.AbstractOIDCProtocolMapper;
import org.keycloak.protocol.oidc.mappers.OIDCAccessTokenMapper;
import org.keycloak.provider.ProviderConfigProperty;
import org.keycloak.representations.IDToken;

/**
 * Puts the resource that a client asked for (RFC 8707) into "aud", if it is
 * one of those that are allowed, and the first of these otherwise.
 *
 * <p>Keycloak keeps the parameter of the authorization request as a note and
 * does nothing with it. Clients of ours have this mapper in memory.
 */
public final class ResourceAudienceMapper extends AbstractOIDCProtocolMapper
    implements OIDCAccessTokenMapper {
    static final String ID = "cimd-resource-audience-mapper";
    private static final String AUDIENCES = "cimd.audiences";
    private static final String RESOURCE = "resource";
    /** Where Keycloak keeps it: since 26.6, and before it knew the name. */
    private static final List<String> NOTES =
        List.of(RESOURCE, "client_request_param_resource");

    /** The mapper of a client of ours. */
    static ProtocolMapperModel model(List<String> audiences) {
        ProtocolMapperModel model = new ProtocolMapperModel();
        model.setId("cimd-audience");
        model.setName("cimd-audience");
        model.setProtocol("openid-connect");
        model.setProtocolMapper(ID);
        model.setConfig(new HashMap<>(Map.of(
            AUDIENCES, String.join(" ", audiences),
            "access.token.claim", "true",
            "lightweight.claim", "true",
            "introspection.token.claim", "true")));
        return model;
    }

    /** What a token is for: one of the allowed, or null if there is none. */
    static String audience(List<String> allowed, String requested) {
        if (requested != null && allowed.contains(requested)) {
            return requested;
        }
        return allowed.isEmpty() ? null : allowed.get(0);
    }

    @Override
    protected void setClaim(IDToken token, ProtocolMapperModel mapping,
        UserSessionModel userSession, KeycloakSession session,
        ClientSessionContext context) {
        String words = mapping.getConfig().getOrDefault(AUDIENCES, "");
        String found = audience(words.isBlank() ? List.of()
            : List.of(words.strip().split("\\s+")),
            requested(session, context.getClientSession()));
        if (found != null) {
            token.addAudience(found);
        }
    }

    /** The resource that the user saw counts before the token request's. */
    private static String requested(KeycloakSession session,
        AuthenticatedClientSessionModel client) {
        String note = client == null ? null : NOTES.stream()
            .map(client::getNote).filter(Objects::nonNull)
            .findFirst().orElse(null);
        return note != null ? note : Requests.form(session, RESOURCE);
    }

    @Override
    public String getId() {
        return ID;
    }

    @Override
    public String getDisplayCategory() {
        return TOKEN_MAPPER_CATEGORY;
    }

    @Override
    public String getDisplayType() {
        return "Resource as audience (RFC 8707)";
    }

    @Override
    public String getHelpText() {
        return "Adds the requested resource to the audience of the access"
            + " token if it is listed, else the first of the list.";
    }

    @Override
    public List<ProviderConfigProperty> getConfigProperties() {
        return List.of(new ProviderConfigProperty(AUDIENCES, "Audiences",
            "URLs with spaces between them; the first is the default.",
            ProviderConfigProperty.STRING_TYPE, ""));
    }
}
