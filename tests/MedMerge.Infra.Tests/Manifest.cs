using k8s;
using k8s.Models;
using MedMerge.Testing;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Infra.Tests;

/// <summary>One Kubernetes object of <c>infra/kubernetes</c>.</summary>
/// <param name="File">Its file's name.</param>
/// <param name="Object">As its type, read strictly: what the type does not know fails.</param>
/// <param name="Yaml">As it is written.</param>
internal sealed record Manifest(string File, IKubernetesObject<V1ObjectMeta> Object, YamlMappingNode Yaml)
{
    public const string Folder = "infra/kubernetes";

    /// <summary>Placeholders, to be filled in outside of the repository.</summary>
    public const string SecretTemplate = "secrets.template.yaml";

    public const string Kustomization = "kustomization.yaml";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Manifest> All { get; } = [.. Files.SelectMany(file => Read(file, Repository.Read($"{Folder}/{file}")))];

    /// <summary>The files that hold manifests.</summary>
    public static IEnumerable<string> Files =>
        Directory.GetFiles(Repository.PathTo(Folder), "*.yaml")
            .Select(file => Path.GetFileName(file))
            .Where(file => file != Kustomization)
            .Order(StringComparer.Ordinal);

    public string Name => Object.Metadata.Name;

    /// <summary>All of a kind.</summary>
    public static IEnumerable<T> Of<T>() => All.Select(manifest => manifest.Object).OfType<T>();

    /// <summary>Reads every document of a file.</summary>
    /// <exception cref="YamlDotNet.Core.YamlException">A field is unknown, there twice, or holds something of another type.</exception>
    public static IReadOnlyList<Manifest> Read(string file, string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. KubernetesYaml.LoadAllFromString(text, strict: true).Zip(stream.Documents,
            (read, document) => new Manifest(file, (IKubernetesObject<V1ObjectMeta>)read, (YamlMappingNode)document.RootNode))];
    }
}
