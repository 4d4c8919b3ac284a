using MedMerge.Testing;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace MedMerge.Infra.Tests;

/// <summary>A <c>kustomization.yaml</c>, with the fields that are in use; others fail.</summary>
internal sealed class Kustomization
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public string Namespace { get; set; } = "";

    public List<LabelSet> Labels { get; set; } = [];

    public List<string> Resources { get; set; } = [];

    public List<Map> ConfigMapGenerator { get; set; } = [];

    public List<Image> Images { get; set; } = [];

    public static Kustomization Read(string folder) =>
        new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).WithDuplicateKeyChecking().Build()
            .Deserialize<Kustomization>(Repository.Read($"{folder}/{Manifest.Kustomization}"));

    /// <summary>Labels for everything.</summary>
    internal sealed class LabelSet
    {
        public Dictionary<string, string> Pairs { get; set; } = [];

        public bool IncludeTemplates { get; set; }
    }

    /// <summary>A config map made of files.</summary>
    internal sealed class Map
    {
        public string Name { get; set; } = "";

        public List<string> Envs { get; set; } = [];

        public List<string> Files { get; set; } = [];

        public Options Options { get; set; } = new();
    }

    /// <summary>What else a generated map gets.</summary>
    internal sealed class Options
    {
        public Dictionary<string, string> Labels { get; set; } = [];
    }

    /// <summary>Where an image is to be had.</summary>
    internal sealed class Image
    {
        public string Name { get; set; } = "";

        public string NewName { get; set; } = "";

        public string NewTag { get; set; } = "";
    }
}
