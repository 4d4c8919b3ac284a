using System.Globalization;
using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Folds the sources by their kernel weights, restores batch norm and certifies the result: a merge that is not proved has no output.</summary>
/// <param name="Sources">Prepared.</param>
/// <param name="SourceNames">In the same order, for the file of kernel weights.</param>
/// <param name="Weights">A <see cref="KernelWeightStage"/>, or the <see cref="ProbeStage"/> at <paramref name="Fixed"/>.</param>
/// <param name="Fixed">α where it is not learned.</param>
public sealed record MergeStage(IReadOnlyList<Stage> Sources, IReadOnlyList<string> SourceNames, Stage Weights, KernelWeightInit? Fixed, TargetContext Target) : Stage
{
    /// <summary>The certificate's images, and how many pixels they may have together: it takes float64, and every source's features.</summary>
    private const int CertificateImages = 64, CertificatePixels = CertificateImages * 64 * 64;

    /// <summary>How much more a pass in float64 costs.</summary>
    private const double Wide = 2;

    /// <inheritdoc />
    public override string Name => "merge";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [.. Sources, Weights];

    /// <inheritdoc />
    protected override object Settings => new { SourceNames, Fixed, Task = Target, Target.Dataset.Title };

    /// <inheritdoc />
    public override double Cost => Target.ForwardPass + (Wide * (Sources.Count + 2) * Certified * Target.Dataset.Height * Target.Dataset.Width);

    private int Certified => Math.Clamp(CertificatePixels / (Target.Dataset.Height * Target.Dataset.Width), 1, Math.Min(CertificateImages, Target.Dataset.Train.Count));

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var sources = new PreparedSources(inputs.SkipLast(1));
            var (architecture, dataset, device) = (Target.Architecture, Target.Dataset, context.Device.Device);
            var weighed = Fixed is null
                ? StageFiles.Read<KernelWeightSolution>(inputs[^1], StageFiles.Weights)
                : new KernelWeightSolution(Fixed.Alpha(architecture, sources.Count).Values, StageFiles.Read<Head>(inputs[^1], StageFiles.Head));
            var alpha = new KernelWeightMatrix(architecture, sources.Count, weighed.Alpha);

            using var loader = new BatchLoader(dataset, device);
            var folded = KernelFolding.Fold(sources, alpha).Convert(tensor => tensor.to(device));
            var statistics = BatchNormRestoration.Measure(folded, dataset, loader, cancellation);
            weighed.Head.AddTo(architecture, statistics);
            var names = SourceNames.Zip(inputs, (name, output) => new WeightedSource(name, StageFiles.Read<SourceInfo>(output, StageFiles.Source).Sha256));
            using var learned = new LearnedKernelWeights([.. names], dataset.Title, alpha, statistics);
            using var merged = learned.Apply(sources);

            var images = loader.Load(dataset.Train, [.. Enumerable.Range(0, Certified)]);
            var certificate = Certificate.Measure(sources, alpha, folded, merged, images, cancellation);
            if (!certificate.Holds)
            {
                throw new InputException(string.Create(CultureInfo.InvariantCulture,
                    $"The merged model does not compute what was weighed: '{certificate.Worst.Layer}' differs by {certificate.Worst.Relative:0.0e+0} of its root mean square, and {Certificate.Limit:0.0e+0} is allowed. ") +
                    "Look at the sources' weights (`medmerge inspect`): values of very different size, or damaged batch norm statistics, do that.");
            }
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.KernelWeights] = learned.Write(),
                [StageFiles.Model] = Safetensors.Write(merged, ModelMetadata.Of(architecture)),
                [StageFiles.Certificate] = StageFiles.Write(certificate),
            });
        }, cancellation);
}
