// SPDX-License-Identifier: Apache-2.0

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * Would this jar link to the classes of another release?
 *
 * <pre>java LinkCheck.java JAR FILE-OR-FOLDER...</pre>
 *
 * Every field and method that a class of JAR refers to must exist with that
 * very type, and no class of JAR may lack a method that its parents want. Says
 * how many references lead into which file; one that is named twice is found
 * where it comes first.
 */
public final class LinkCheck {
    private final ClassLoader loader;
    private final Set<String> faults = new TreeSet<>();
    private final Map<String, Integer> found = new TreeMap<>();
    private int references;

    private LinkCheck(ClassLoader loader) {
        this.loader = loader;
    }

    public static void main(String[] args) throws IOException {
        List<URL> path = new ArrayList<>();
        for (String arg : args) {
            File file = new File(arg);
            File[] jars = file.isDirectory()
                ? file.listFiles((dir, name) -> name.endsWith(".jar"))
                : new File[] {file};
            for (File jar : jars) {
                path.add(jar.toURI().toURL());
            }
        }
        LinkCheck check = new LinkCheck(new URLClassLoader(
            path.toArray(new URL[0]), ClassLoader.getPlatformClassLoader()));
        int classes = check.jar(new File(args[0]));
        check.faults.forEach(System.out::println);
        check.found.forEach((file, n) ->
            System.out.println(file + ": " + n + " references"));
        System.out.println(classes + " classes, " + check.references
            + " references, " + check.faults.size() + " faults");
        System.exit(check.faults.isEmpty() && classes > 0 ? 0 : 1);
    }

    private int jar(File file) throws IOException {
        int classes = 0;
        try (JarFile jar = new JarFile(file)) {
            for (JarEntry e : (Iterable<JarEntry>) jar.stream()::iterator) {
                if (e.getName().endsWith(".class")) {
                    try (InputStream in = jar.getInputStream(e)) {
                        constants(in.readAllBytes(), e.getName());
                    }
                    whole(e.getName());
                    classes++;
                }
            }
        }
        return classes;
    }

    /** Is nothing left abstract in a class that is not? */
    private void whole(String entry) {
        String name = entry.substring(0, entry.length() - 6);
        try {
            Class<?> c = load(name);
            if (c.isInterface() || Modifier.isAbstract(c.getModifiers())) {
                return;
            }
            for (Method m : c.getMethods()) {
                if (Modifier.isAbstract(m.getModifiers())) {
                    faults.add(name + " lacks " + m);
                }
            }
        } catch (ClassNotFoundException | LinkageError e) {
            faults.add(name + ": " + e);
        }
    }

    private Class<?> load(String name) throws ClassNotFoundException {
        return Class.forName(name.replace('/', '.'), false, loader);
    }

    /** The constant pool of a class file (JVMS 4.4). */
    private void constants(byte[] bytes, String from) throws IOException {
        DataInputStream in = new DataInputStream(
            new ByteArrayInputStream(bytes));
        in.readLong();
        int n = in.readUnsignedShort();
        String[] text = new String[n];
        int[][] pair = new int[n][];
        for (int i = 1; i < n; i++) {
            int tag = in.readUnsignedByte();
            switch (tag) {
                case 1 -> text[i] = in.readUTF();
                case 3, 4 -> in.readInt();
                case 5, 6 -> {
                    in.readLong();
                    i++;
                }
                case 7, 8, 16, 19, 20 ->
                    pair[i] = new int[] {tag, in.readUnsignedShort()};
                case 9, 10, 11, 12, 17, 18 -> pair[i] = new int[] {tag,
                    in.readUnsignedShort(), in.readUnsignedShort()};
                case 15 -> in.skipBytes(3);
                default -> throw new IOException(from + ": tag " + tag);
            }
        }
        for (int[] p : pair) {
            if (p != null && p[0] >= 9 && p[0] <= 11) {
                int[] nameAndType = pair[p[2]];
                reference(from, text[pair[p[1]][1]], text[nameAndType[1]],
                    text[nameAndType[2]]);
            }
        }
    }

    private void reference(String from, String owner, String name,
        String type) {
        if (owner.startsWith("[") || owner.startsWith("java/")) {
            return;
        }
        references++;
        String what = from + ": " + owner + "." + name + type;
        try {
            Class<?> c = load(owner);
            boolean found = type.startsWith("(")
                ? method(c, name, MethodType.fromMethodDescriptorString(
                    type, loader))
                : field(c, name);
            if (found) {
                this.found.merge(file(c), 1, Integer::sum);
            } else {
                faults.add(what);
            }
        } catch (ClassNotFoundException | LinkageError
            | TypeNotPresentException e) {
            faults.add(what + ": " + e);
        }
    }

    /** The name of the file that a class comes from. */
    private static String file(Class<?> c) {
        var source = c.getProtectionDomain().getCodeSource();
        return source == null ? "Java"
            : new File(source.getLocation().getPath()).getName();
    }

    private static boolean field(Class<?> c, String name) {
        for (Class<?> at : parents(c)) {
            if (Arrays.stream(at.getDeclaredFields())
                .anyMatch(f -> f.getName().equals(name))) {
                return true;
            }
        }
        return false;
    }

    private static boolean method(Class<?> c, String name, MethodType type) {
        if (name.equals("<init>")) {
            return Arrays.stream(c.getDeclaredConstructors()).anyMatch(
                k -> type.parameterList().equals(
                    List.of(k.getParameterTypes())));
        }
        for (Class<?> at : parents(c)) {
            if (Arrays.stream(at.getDeclaredMethods()).anyMatch(
                m -> m.getName().equals(name)
                    && m.getReturnType() == type.returnType()
                    && type.parameterList().equals(
                        List.of(m.getParameterTypes())))) {
                return true;
            }
        }
        return false;
    }

    private static List<Class<?>> parents(Class<?> c) {
        List<Class<?>> all = new ArrayList<>();
        for (Class<?> at = c; at != null; at = at.getSuperclass()) {
            all.add(at);
            for (Class<?> one : at.getInterfaces()) {
                all.addAll(parents(one));
            }
        }
        if (c.isInterface()) {
            all.add(Object.class);
        }
        return all;
    }
}
