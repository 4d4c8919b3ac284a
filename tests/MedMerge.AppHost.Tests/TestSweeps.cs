using MedMerge.Testing;

namespace MedMerge.AppHost.Tests;

/// <summary>The specifications that <em>Start sweep</em> offers in these tests.</summary>
internal static class TestSweeps
{
    /// <summary>Several trials, a few seconds of work.</summary>
    public const string Small = "small.yaml";

    /// <summary>The same, for those who look at the gateway's pages.</summary>
    public const string Paged = "paged.yaml";

    /// <summary>One trial whose trace is checked.</summary>
    public const string Traced = "traced.yaml";

    /// <summary>One trial, to be looked at in a browser.</summary>
    public const string Shown = "shown.yaml";

    /// <summary>One trial, long enough to be killed in it.</summary>
    public const string Killed = "killed.yaml";

    /// <summary>Never ends within a test.</summary>
    public const string Endless = "endless.yaml";

    /// <summary>Never ends within a test either, and computes on one thread.</summary>
    public static SpecificationBuilder Steered { get; } = Specifications.Tiny with
    {
        Name = "steered",
        SourceImages = 38,
        KernelWeights = "{ epochs: 100000, batchSize: 8 }",
    };

    /// <summary>Their text, by file name.</summary>
    public static IReadOnlyDictionary<string, string> Yaml { get; } = new Dictionary<string, string>
    {
        [Small] = Specifications.Small.Yaml,
        [Paged] = (Specifications.Small with { Name = "paged", SourceImages = 37 }).Yaml,
        [Traced] = Named("traced", epochs: 12, sourceImages: 33),
        [Shown] = Named("shown", epochs: 30, sourceImages: 34),
        [Killed] = Named("killed", epochs: 60, sourceImages: 35),
        [Endless] = Named("endless", epochs: 100_000, sourceImages: 36),
    };

    public static void WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, text) in Yaml) File.WriteAllText(Path.Combine(folder, name), text);
    }

    /// <param name="sourceImages">Differs from the other sweeps', so that every stage is this sweep's own.</param>
    private static string Named(string name, int epochs, int sourceImages) =>
        (Specifications.LearnFor(epochs) with { Name = name, SourceImages = sourceImages }).Yaml;
}
