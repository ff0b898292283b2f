// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * The condition of ours: is the client_id a URL, and one of these?
 *
 * <p>This selects which policy speaks about a client. Who is let in is
 * decided by cimdd.
 */
final class ClientMatch implements Predicate<String> {
    static final String CLIENTS = "clients";
    static final String NEGATIVE = "is-negative-logic";

    private final List<String> patterns;
    private final boolean negative;

    ClientMatch(List<String> patterns, boolean negative) {
        this.patterns = List.copyOf(patterns);
        this.negative = negative;
    }

    /** @param form the configuration of the condition */
    static ClientMatch of(JsonNode form) {
        List<String> found = new ArrayList<>();
        JsonNode list = form.path(CLIENTS);
        if (list.isTextual()) {
            found.add(list.textValue());
        }
        list.forEach(one -> found.add(one.asText()));
        found.replaceAll(String::strip);
        found.removeIf(String::isEmpty);
        return new ClientMatch(found, form.path(NEGATIVE).asBoolean(false));
    }

    @Override
    public boolean test(String clientId) {
        return matches(clientId) != negative;
    }

    /** The same before negation. */
    boolean matches(String clientId) {
        return ClientIds.isUrl(clientId) && (patterns.isEmpty()
            || patterns.stream().anyMatch(p -> one(p, clientId)));
    }

    private static boolean one(String pattern, String clientId) {
        if (!pattern.contains("/")) {
            return Names.host(clientId).equalsIgnoreCase(pattern);
        }
        String[] want = pattern.split("/", -1);
        String[] have = clientId.split("/", -1);
        boolean same = want.length == have.length;
        for (int i = 0; same && i < want.length; i++) {
            same = i > 2 ? want[i].equals(have[i])
                || want[i].equals("*") && !have[i].isEmpty()
                : origin(want[i]).equals(origin(have[i]));
        }
        return same;
    }

    /** Scheme or authority as cimdd compares it. */
    private static String origin(String part) {
        String lower = part.toLowerCase(Locale.ROOT);
        return lower.endsWith(":443")
            ? lower.substring(0, lower.length() - 4) : lower;
    }
}
