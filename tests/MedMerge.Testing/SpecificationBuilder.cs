using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;

namespace MedMerge.Testing;

/// <summary>
/// A specification for tests: two sources <c>a</c> and <c>b</c> that are pretrained as part of the run, on few synthetic
/// images. As it is, it takes about a second a trial.
/// </summary>
internal sealed record SpecificationBuilder
{
    /// <summary>What messages call the specification.</summary>
    private const string Origin = "test.yaml";

    public string Name { get; init; } = "tiny";

    public double Width { get; init; } = 0.125;

    /// <summary>The target's training images.</summary>
    public int Images { get; init; } = 24;

    /// <summary>Training images of each source.</summary>
    public int SourceImages { get; init; } = 24;

    /// <summary>Epochs of each source's pretraining.</summary>
    public int SourceEpochs { get; init; } = 1;

    /// <summary>In YAML: <c>all</c>, or a list in flow style.</summary>
    public string Methods { get; init; } = "all";

    /// <summary>How many.</summary>
    public int Seeds { get; init; } = 1;

    public int Threads { get; init; } = 1;

    /// <summary>Null for the default, a processor.</summary>
    public string? Device { get; init; } = TestDevice.IsCpu ? null : TestDevice.Name;

    public int? Parallel { get; init; }

    /// <summary>Settings in YAML's flow style; null for the defaults.</summary>
    public string? KernelWeights { get; init; } = "{ epochs: 1, batchSize: 8 }";

    /// <inheritdoc cref="KernelWeights" />
    public string? FineTune { get; init; } = "{ epochs: 1, batchSize: 8 }";

    /// <summary>Learning rates that each fine-tuning tries.</summary>
    public int LearningRateTries { get; init; } = 1;

    /// <summary>Which model a merge ends with; null for the default.</summary>
    public string? Select { get; init; }

    /// <summary>As a user writes it.</summary>
    public string Yaml => FormattableString.Invariant($$"""
        name: {{Name}}
        target: { data: 'phantom:lesions', trainImages: {{Images}} }
        architecture: resnet20
        width: {{Width}}
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: {{SourceImages}}, epochs: {{SourceEpochs}} }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: {{SourceImages}}, epochs: {{SourceEpochs}} }
        anchor: a
        methods: {{Methods}}
        seeds: {{Seeds}}
        threads: {{Threads}}
        learningRateTries: {{LearningRateTries}}
        {{WriteOptional()}}
        """).TrimEnd();

    /// <summary>The same with other epochs of kernel-weight learning and of fine-tuning.</summary>
    public SpecificationBuilder WithEpochs(int epochs) => this with
    {
        KernelWeights = $"{{ epochs: {epochs}, batchSize: 8 }}",
        FineTune = $"{{ epochs: {epochs}, batchSize: 8 }}",
    };

    public Specification Read() => SpecificationReader.Read(Yaml, Origin, []);

    public Plan BuildPlan() => Plan.Build(Read());

    private string WriteOptional()
    {
        (string Key, object? Value)[] lines =
        [
            ("device", Device),
            ("parallel", Parallel),
            ("kernelWeights", KernelWeights),
            ("fineTune", FineTune),
            ("select", Select),
        ];
        return string.Join('\n', lines.Where(line => line.Value is not null).Select(line => $"{line.Key}: {line.Value}"));
    }
}
