// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The JSON of an answer, as records.
 *
 * <p>What is needed must be there and of the right type; what is new is
 * ignored, so that a younger cimdd may say more.
 */
final class AnswerReader {
    private static final ObjectMapper JSON = new ObjectMapper()
        .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    static {
        JSON.getFactory().setStreamReadConstraints(
            StreamReadConstraints.builder().maxNestingDepth(32).build());
    }

    private AnswerReader() {
    }

    /**
     * @param asked the client_id that was looked up
     */
    static Answer read(byte[] bytes, String asked) throws GarbledException {
        JsonNode root;
        try {
            root = JSON.readTree(bytes);
        } catch (IOException e) {
            throw new GarbledException("the answer is not JSON", e);
        }
        if (root == null || !root.isObject()) {
            throw new GarbledException("the answer is no JSON object");
        }
        return root.has("code") ? Answer.of(problem(root))
            : Answer.of(client(root, asked));
    }

    private static Problem problem(JsonNode root) throws GarbledException {
        Problem.Kind kind = switch (text(root, "class")) {
            case "not_ours" -> Problem.Kind.NOT_OURS;
            case "refused" -> Problem.Kind.REFUSED;
            case "unavailable" -> Problem.Kind.UNAVAILABLE;
            default -> Problem.Kind.BROKEN;
        };
        String error = optional(root, "error");
        return new Problem(text(root, "code"), kind,
            error == null ? "server_error" : error, text(root, "detail"));
    }

    private static ClientRecord client(JsonNode root, String asked)
        throws GarbledException {
        JsonNode client = object(root, "client");
        JsonNode decision = object(root, "decision");
        String id = text(client, "client_id");
        if (!id.equals(asked)) {
            throw new GarbledException("an answer about another client");
        }
        String trust = text(decision, "trust");
        if (!trust.equals("trusted") && !trust.equals("unverified")) {
            throw new GarbledException("trust is "
                + trust.toLowerCase(Locale.ROOT));
        }
        return new ClientRecord(id, optional(client, "client_name"),
            texts(client, "redirect_uris"),
            flag(decision, "loopback_any_port"),
            texts(client, "grant_types"), texts(decision, "auth_methods"),
            optional(client, "token_endpoint_auth_signing_alg"),
            keys(client.get("jwks")),
            client.path("dpop_bound_access_tokens").asBoolean(false), trust,
            texts(decision, "warnings"), flag(decision, "redirect_uri_ok"));
    }

    /**
     * The keys as text, or null. All of them are for signatures; Keycloak
     * passes over those that do not say so.
     */
    private static String keys(JsonNode jwks) {
        if (jwks == null || !jwks.isObject()) {
            return null;
        }
        for (JsonNode one : jwks.path("keys")) {
            if (one instanceof ObjectNode key && !key.hasNonNull("use")) {
                key.put("use", "sig");
            }
        }
        return jwks.toString();
    }

    private static JsonNode object(JsonNode node, String name)
        throws GarbledException {
        JsonNode found = node.get(name);
        if (found == null || !found.isObject()) {
            throw new GarbledException("the answer has no object " + name);
        }
        return found;
    }

    private static String text(JsonNode node, String name)
        throws GarbledException {
        String found = optional(node, name);
        if (found == null) {
            throw new GarbledException("the answer has no " + name);
        }
        return found;
    }

    private static String optional(JsonNode node, String name)
        throws GarbledException {
        JsonNode found = node.get(name);
        if (found == null || found.isNull()) {
            return null;
        }
        if (!found.isTextual()) {
            throw new GarbledException(name + " is no string");
        }
        return found.textValue();
    }

    private static List<String> texts(JsonNode node, String name)
        throws GarbledException {
        List<String> all = new ArrayList<>();
        JsonNode found = node.get(name);
        if (found == null || !found.isArray()) {
            throw new GarbledException("the answer has no list " + name);
        }
        for (JsonNode one : found) {
            if (!one.isTextual()) {
                throw new GarbledException(name + " has what is no string");
            }
            all.add(one.textValue());
        }
        return List.copyOf(all);
    }

    private static boolean flag(JsonNode node, String name)
        throws GarbledException {
        JsonNode found = node.get(name);
        if (found == null || !found.isBoolean()) {
            throw new GarbledException("the answer has no " + name);
        }
        return found.booleanValue();
    }
}
