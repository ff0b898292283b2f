// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * client_id and Keycloak's id: {@code f:COMPONENT:BASE64URL(client_id)}.
 *
 * <p>The id says all, so that it can be answered without having been stored
 * anywhere. In base64url it passes through every path of the admin REST API,
 * which a URL does not.
 */
final class ClientIds {
    /** What fits into EXTERNAL_CLIENT_ID VARCHAR(255) as base64url. */
    static final int MAX_BYTES = 191;

    private ClientIds() {
    }

    /**
     * Could this be a client identifier URL? Every login of every client that
     * Keycloak does not know comes by here; cimdd decides about the rest.
     */
    static boolean isUrl(String clientId) {
        return clientId != null && clientId.length() > 8
            && clientId.regionMatches(true, 0, "https://", 0, 8);
    }

    static boolean fits(String clientId) {
        return clientId.getBytes(StandardCharsets.UTF_8).length <= MAX_BYTES;
    }

    static String external(String clientId) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(
            clientId.getBytes(StandardCharsets.UTF_8));
    }

    /** The client_id of an external id, or null if it is none of ours. */
    static String clientId(String external) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(external);
            String found = StandardCharsets.UTF_8.newDecoder()
                .decode(ByteBuffer.wrap(bytes)).toString();
            return isUrl(found) && external(found).equals(external)
                ? found : null;
        } catch (IllegalArgumentException | CharacterCodingException e) {
            return null;
        }
    }
}
