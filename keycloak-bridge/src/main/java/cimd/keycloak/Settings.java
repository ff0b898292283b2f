// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What the administrator's form says, in the words of cimd.conf(5).
 *
 * <p>Nothing is judged here: cimdd does that, with the code that judges its
 * own configuration. Names that the form offers are translated, everything
 * else is handed on as it was typed.
 *
 * @param policy the realm's policy, as JSON text
 * @param scopes the ceiling; empty for none
 * @param audiences what tokens may be for; the first is the default
 */
record Settings(String policy, List<String> scopes, List<String> audiences) {
    static final String CLIENTS = "clients";
    static final String BLOCKED = "blocked";
    static final String OTHERS = "others";
    static final String REDIRECTS = "redirects";
    static final String MORE_REDIRECTS = "more-redirects";
    static final String SCOPES = "scopes";
    static final String AUDIENCES = "audiences";
    static final String CONFIDENTIAL = "confidential-only";
    static final String UPDATE = "update";

    private static final ObjectMapper JSON = new ObjectMapper();

    /** @param form the configuration of the executor */
    static Settings of(JsonNode form) {
        ObjectNode policy = JSON.createObjectNode();
        // Whoever is listed by name is vouched for by the administrator.
        policy.put("trust", "trusted");
        put(policy, "allow", list(form, CLIENTS));
        putBlocked(policy, form.path(BLOCKED), list(form, BLOCKED));
        policy.put("default", others(text(form, OTHERS, "deny")));
        put(policy, "redirects", redirects(form));
        put(policy, "scopes", list(form, SCOPES));
        putMethods(policy, form.path(CONFIDENTIAL));
        policy.put("update", text(form, UPDATE, "live"));
        return new Settings(policy.toString(), list(form, SCOPES),
            list(form, AUDIENCES));
    }

    private static String others(String word) {
        return switch (word) {
            case "wait for approval" -> "pending";
            case "allow unverified" -> "unverified";
            default -> word;
        };
    }

    private static List<String> redirects(JsonNode form) {
        List<String> words = new ArrayList<>();
        String rule = text(form, REDIRECTS, "document");
        switch (rule) {
            case "same-origin", "same-site" -> {
                words.add("document");
                words.add(rule);
            }
            case "same-origin, no loopback" -> words.add("same-origin");
            case "same-site, no loopback" -> words.add("same-site");
            default -> words.add(rule);
        }
        words.addAll(list(form, MORE_REDIRECTS));
        return words;
    }

    private static void put(ObjectNode to, String name, List<String> values) {
        if (!values.isEmpty()) {
            ArrayNode array = to.putArray(name);
            values.forEach(array::add);
        }
    }

    private static String text(JsonNode form, String name, String otherwise) {
        JsonNode found = form.path(name);
        String value = found.isValueNode() ? found.asText().strip() : "";
        return value.isEmpty() || found.isNull() ? otherwise : value;
    }

    /** What is no list of words is not dropped: cimdd refuses it. */
    private static void putBlocked(ObjectNode policy, JsonNode said,
        List<String> words) {
        boolean known = said.isMissingNode() || said.isNull()
            || said.isTextual() || said.isArray();
        for (JsonNode one : said) {
            known &= one.isTextual();
        }
        if (known) {
            put(policy, "deny", words);
        } else {
            policy.set("deny", said);
        }
    }

    /** What is neither yes nor no is not taken for no: cimdd refuses it. */
    private static void putMethods(ObjectNode policy, JsonNode said) {
        String word = said.isMissingNode() || said.isNull() ? ""
            : said.asText().strip();
        if (said.isContainerNode()) {
            policy.set("auth", said);
        } else if (word.equals("true")) {
            policy.putArray("auth").add("private_key_jwt");
        } else if (!word.isEmpty() && !word.equals("false")) {
            policy.putArray("auth").add(word);
        }
    }

    private static List<String> list(JsonNode form, String name) {
        List<String> all = new ArrayList<>();
        JsonNode found = form.path(name);
        if (found.isTextual()) {
            add(all, found.textValue());
        }
        if (found.isArray()) {
            found.forEach(one -> add(all, one.asText()));
        }
        return List.copyOf(all);
    }

    private static void add(List<String> all, String value) {
        if (!value.isBlank()) {
            all.add(value.strip());
        }
    }
}
