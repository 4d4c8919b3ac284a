using System.Globalization;
using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;
using TorchSharp;

namespace MedMerge.Experiments.Stages;

/// <summary>How a merge's channels are rescaled (<see cref="ActivationRescaling"/>).</summary>
/// <param name="BatchSize">Images of a batch that statistics are estimated on, as fine-tuning normalises by.</param>
/// <param name="HeadDecay">The L2 penalty on the head that is fitted to the rescaled features.</param>
internal sealed record MergeRescaling(int BatchSize, double HeadDecay)
{
    /// <summary>What is done about classes of unequal size where the head is fitted anew.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Imbalance Imbalance { get; init; }
}

/// <summary>
/// Merges the sources by their kernel weights, restores batch norm and certifies the result; it fails if the certificate
/// does not hold.
/// </summary>
/// <param name="Sources">The prepared sources.</param>
/// <param name="SourceNames">Their names in the same order, for the file of kernel weights.</param>
/// <param name="KernelWeights">A <see cref="KernelWeightStage"/>, or the <see cref="ProbeStage"/> at <paramref name="Fixed"/>.</param>
/// <param name="Fixed">α if it is not learned; otherwise null.</param>
/// <param name="Anchor">
/// The source whose kernel norms the merged model gets. The scale of a kernel in front of batch norm changes nothing that it
/// computes, but fine-tuning moves it at an effective rate of lr/‖K‖² (van Laarhoven 2017), which should be the same for every method.
/// </param>
internal sealed record MergeStage(
    IReadOnlyList<Stage> Sources,
    IReadOnlyList<string> SourceNames,
    Stage KernelWeights,
    KernelWeightInit? Fixed,
    Anchor Anchor,
    TargetContext Target) : Stage
{
    /// <summary>How the merged channels are rescaled; null where they are not.</summary>
    public MergeRescaling? Rescaling { get; init; }

    /// <summary>
    /// So many images already compare hundreds of thousands of numbers a layer, and convolutions in float64 are slow: more would make the
    /// certificate a large part of a short run.
    /// </summary>
    private const int MaxCertificateImages = 16;

    /// <summary>Bounds the memory of the certificate, which holds every source's features in float64.</summary>
    private const int MaxCertificatePixels = 64 * 64 * 64;

    /// <summary>Cost of a pass in float64 relative to float32.</summary>
    private const double Float64Cost = 2;

    /// <inheritdoc />
    public override string Name => "merge";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [.. Sources, KernelWeights, .. Anchor.Inputs];

    /// <inheritdoc />
    protected override object Settings => Rescaling is null
        ? new { SourceNames, Fixed, Anchor, Task = Target, Target.Dataset.Title }
        : new { SourceNames, Fixed, Anchor, Task = Target, Target.Dataset.Title, Rescaling };

    /// <inheritdoc />
    public override double Cost => Target.ForwardPass + CertificateCost;

    private double CertificateCost => Float64Cost * (Sources.Count + 2) * CertificateImages * ImagePixels;

    private int CertificateImages =>
        Math.Clamp(MaxCertificatePixels / ImagePixels, 1, Math.Min(MaxCertificateImages, Target.Dataset.Train.Count));

    private int ImagePixels => Target.Dataset.Height * Target.Dataset.Width;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var sources = new PreparedSources(inputs.Take(Sources.Count));
            var architecture = Target.Architecture;
            var dataset = Target.Dataset;
            var device = context.Device.Device;
            var (alpha, head) = ReadKernelWeights(inputs);

            using var loader = new BatchLoader(dataset, device);
            var exported = KernelFolding.Merge(sources, alpha);
            var network = exported.To(device);
            using var statistics = BatchNormRestoration.Measure(network, dataset, loader, cancellation);
            sources[Anchor.Find(inputs)].CopyNormsTo(architecture, statistics);
            using var restored = Restore(exported, statistics, head);

            var images = loader.Load(dataset.Train, [.. Enumerable.Range(0, CertificateImages)]);
            var certificate = Certify(sources, alpha, network, restored, statistics, images, cancellation);
            if (!certificate.Holds) throw new ComputationException(DescribeFailure(certificate));

            // The certificate is of the fold; rescaling changes what the model computes.
            if (Rescaling is not null) head = Rescale(sources, alpha, restored, statistics, loader, context, cancellation);
            head.AddTo(architecture, statistics);
            var targetTensors = statistics.ToFloats();
            var learned = new LearnedKernelWeights([.. SourceNames.Zip(inputs, DescribeSource)], dataset.Title, alpha, targetTensors)
            {
                BatchNorm = sources[0].BatchNorm(architecture),
                Signature = Target.Signature,
            };
            using var rescaled = Rescaling is null ? null : BatchNormRestoration.Restore(exported, statistics);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.KernelWeights] = learned.Write(),
                [StageFiles.Model] = Safetensors.Write(rescaled ?? restored, ModelMetadata.Of(architecture, Target.Signature)),
                [StageFiles.Certificate] = StageFiles.Write(certificate),
            });
        }, cancellation);

    private static Certificate Certify(
        PreparedSources sources,
        KernelWeightMatrix alpha,
        WeighedNetwork network,
        StateDict restored,
        StateDict statistics,
        torch.Tensor images,
        CancellationToken cancellation)
    {
        if (network is not MixedNetwork mixed)
            return Certificate.Measure(sources, alpha, (FoldedNetwork)network, restored, images, cancellation);
        using var parts = new PreparedSources(mixed.FoldSources(sources, statistics));
        var folded = mixed.Fold(statistics, torch.ScalarType.Float64);
        return Certificate.Measure(parts, alpha, folded, restored, images, cancellation);
    }

    private StateDict Restore(WeighedNetwork network, StateDict statistics, Head head)
    {
        using var withHead = statistics.Clone();
        head.AddTo(Target.Architecture, withHead);
        return BatchNormRestoration.Restore(network, withHead);
    }

    /// <summary>Rescales the model, adds what came of it to the merge's tensors, and fits a head to its features.</summary>
    private Head Rescale(
        PreparedSources sources,
        KernelWeightMatrix alpha,
        StateDict restored,
        StateDict statistics,
        BatchLoader loader,
        StageContext context,
        CancellationToken cancellation)
    {
        var (architecture, dataset, device) = (Target.Architecture, Target.Dataset, context.Device.Device);
        using var rescaled = ActivationRescaling.Rescale(
            sources,
            alpha,
            restored,
            dataset,
            Rescaling!.BatchSize,
            loader,
            device,
            cancellation);
        ActivationRescaling.AddTo(architecture, rescaled, statistics);
        using var network = new BatchNormNetwork(architecture, rescaled, device);
        using var features = Scoring.Features(Features, dataset.Train, loader, cancellation);
        var head = LinearProbe.Fit(features, dataset, Rescaling.HeadDecay, Rescaling.Imbalance, cancellation);
        ProbeStage.WarnIfUnconverged(head, context);
        return head;

        torch.Tensor Features(torch.Tensor images) => network.Features(images, training: false);
    }

    private (KernelWeightMatrix Alpha, Head Head) ReadKernelWeights(IReadOnlyList<StageOutput> inputs)
    {
        var output = inputs[Sources.Count];
        var architecture = Target.Architecture;
        if (Fixed is not null)
            return (Fixed.Alpha(architecture, Sources.Count, inputs), StageFiles.Read<Head>(output, StageFiles.Head));
        var learned = StageFiles.Read<KernelWeightSolution>(output, StageFiles.LearnedAlpha);
        return (new KernelWeightMatrix(architecture, Sources.Count, learned.Alpha), learned.Head);
    }

    private WeightedSource DescribeSource(string name, StageOutput output)
    {
        var source = StageFiles.Read<SourceInfo>(output, StageFiles.Source);
        return new WeightedSource(source.Name ?? name, source.Sha256) { Order = AlignStage.ReadOrder(output, Target.Architecture) };
    }

    private static string DescribeFailure(Certificate certificate)
    {
        var difference = string.Create(
            CultureInfo.InvariantCulture,
            $"'{certificate.Worst.Layer}' differs by {certificate.Worst.Relative:0.0e+0} of its root mean square, " +
            $"and {Certificate.Limit:0.0e+0} is allowed");
        return $"The merged model does not compute the weighted features: {difference}. Check the sources with " +
               "`medmerge inspect`: values of very different magnitude or damaged batch norm statistics cause this.";
    }
}
