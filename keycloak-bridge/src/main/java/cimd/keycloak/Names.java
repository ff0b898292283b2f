// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.net.URI;
import java.net.URISyntaxException;

/**
 * What strangers call themselves, made safe to show.
 *
 * <p>Keycloak's pages take a client's name for a template: {@code ${key}} is
 * looked up, braces and apostrophes mean something to MessageFormat. Characters
 * that reorder or hide text would let a name speak for another host.
 */
final class Names {
    static final int MAX_NAME = 60;

    private Names() {
    }

    /** The host of a URL, in whatever state that is; never empty. */
    static String host(String url) {
        try {
            String host = new URI(url).getHost();
            if (host != null && !host.isEmpty()) {
                return host;
            }
        } catch (URISyntaxException e) {
            // Not a URL that could have been accepted.
        }
        return "an invalid address";
    }

    /** A client's name as text, or null if nothing is left of it. */
    static String clean(String raw) {
        if (raw == null) {
            return null;
        }
        StringBuilder out = new StringBuilder();
        int count = 0;
        for (int i = 0; i < raw.length(); i += Character.charCount(
            raw.codePointAt(i))) {
            int c = plain(raw.codePointAt(i));
            boolean again = c == ' '
                && (out.isEmpty() || out.charAt(out.length() - 1) == ' ');
            if (c < 0 || again) {
                continue;
            }
            if (count++ == MAX_NAME) {
                return out.toString().strip() + "\u2026";
            }
            out.appendCodePoint(c);
        }
        String name = out.toString().strip();
        return name.isEmpty() ? null : name;
    }

    /** The character that is shown in place of this one; -1 for none. */
    private static int plain(int c) {
        return switch (c) {
            case '{' -> '\uff5b';
            case '}' -> '\uff5d';
            case '\'' -> '\u2019';
            case '<' -> '\u2039';
            case '>' -> '\u203a';
            case '&' -> '\uff06';
            case '"' -> '\u201d';
            default -> switch (Character.getType(c)) {
                case Character.CONTROL, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR -> ' ';
                case Character.FORMAT, Character.SURROGATE,
                    Character.PRIVATE_USE, Character.UNASSIGNED -> -1;
                default -> c;
            };
        };
    }
}
