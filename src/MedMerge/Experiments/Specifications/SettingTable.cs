using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>Every setting, each declared once.</summary>
internal static class SettingTable
{
    /// <summary>The YAML keys of the records within <see cref="ScenarioSettings"/>.</summary>
    internal const string KernelWeightsKey = "kernelWeights";

    /// <inheritdoc cref="KernelWeightsKey" />
    internal const string FineTuneKey = "fineTune";

    private const int MaxTries = 9;

    /// <summary>
    /// Settings of fine-tuning and pretraining alike. Declared first, because static members are initialised in textual
    /// order.
    /// </summary>
    private static IReadOnlyList<Setting<FineTuneSettings>> Training { get; } =
    [
        new WholeNumberSetting<FineTuneSettings>(
            "batchSize",
            "images in a step, over all shards",
            TrainingBounds.MinBatchSize,
            TrainingBounds.MaxBatchSize,
            settings => settings.BatchSize,
            (settings, value) => settings with { BatchSize = value }),
        new WholeNumberSetting<FineTuneSettings>(
            "shards",
            "more than one is data-parallel: parts of the data, each batch-normalised by itself; part of what is computed",
            1,
            TrainingBounds.MaxShards,
            settings => settings.Shards,
            (settings, value) => settings with { Shards = value }),
        new NumberSetting<FineTuneSettings>(
            "learningRate",
            "AdamW's first rate; it falls to 0 along a cosine",
            0,
            TrainingBounds.MaxRate,
            settings => settings.LearningRate,
            (settings, value) => settings with { LearningRate = value }),
        new NumberSetting<FineTuneSettings>(
            "weightDecay",
            "AdamW's decoupled weight decay",
            0,
            TrainingBounds.MaxRate,
            settings => settings.WeightDecay,
            (settings, value) => settings with { WeightDecay = value }),
    ];

    private static IReadOnlyList<Setting<Imbalance>> ClassImbalance { get; } =
    [
        new ChoiceSetting<Imbalance, ClassWeighting>(
            "classWeights",
            "what an image counts in the loss: `balanced` in inverse proportion to its class's number of training images",
            SettingWords.ClassWeightings,
            settings => settings.ClassWeights,
            (settings, value) => settings with { ClassWeights = value }),
        new ChoiceSetting<Imbalance, ClassSampling>(
            "sampling",
            "the images of an epoch: each `once`, or as many in all, but equally many of each class",
            SettingWords.Samplings,
            settings => settings.Sampling,
            (settings, value) => settings with { Sampling = value }),
        new NumberSetting<Imbalance>(
            "focalGamma",
            "γ of the focal loss −(1 − p)^γ ln p; 0 is cross-entropy",
            0,
            10,
            settings => settings.FocalGamma,
            (settings, value) => settings with { FocalGamma = value }),
    ];

    /// <summary>How kernel weights are learned.</summary>
    public static IReadOnlyList<Setting<KernelWeightSettings>> KernelWeights { get; } =
    [
        new WholeNumberSetting<KernelWeightSettings>(
            "epochs",
            "passes over the training images",
            0,
            TrainingBounds.MaxEpochs,
            settings => settings.Epochs,
            (settings, value) => settings with { Epochs = value }),
        new WholeNumberSetting<KernelWeightSettings>(
            "batchSize",
            "images in a step, over all shards",
            1,
            TrainingBounds.MaxBatchSize,
            settings => settings.BatchSize,
            (settings, value) => settings with { BatchSize = value }),
        new WholeNumberSetting<KernelWeightSettings>(
            "shards",
            "fixed parts of the training data; part of what is computed",
            1,
            TrainingBounds.MaxShards,
            settings => settings.Shards,
            (settings, value) => settings with { Shards = value }),
        new NumberSetting<KernelWeightSettings>(
            "learningRate",
            "Adam's, for the logits θ",
            0,
            TrainingBounds.MaxRate,
            settings => settings.LearningRate,
            (settings, value) => settings with { LearningRate = value }),
        new NumberSetting<KernelWeightSettings>(
            "headLearningRate",
            "Adam's, for the head",
            0,
            TrainingBounds.MaxRate,
            settings => settings.HeadLearningRate,
            (settings, value) => settings with { HeadLearningRate = value }),
        new NumberSetting<KernelWeightSettings>(
            "headDecay",
            "λ of λ/2·‖W‖² on the head, in the linear probe too",
            1e-9,
            100,
            settings => settings.HeadDecay,
            (settings, value) => settings with { HeadDecay = value }),
        new ChoiceSetting<KernelWeightSettings, KernelWeightStart>(
            "start",
            "where α starts; `uniform` needs a learning rate of about 0.01",
            SettingWords.Starts,
            settings => settings.Start,
            (settings, value) => settings with { Start = value }),
        new NumberSetting<KernelWeightSettings>(
            "anchorWeight",
            "the anchor's share at an anchored start, above an equal share",
            0.01,
            0.999999,
            settings => settings.AnchorWeight,
            (settings, value) => settings with { AnchorWeight = value }),
        new ChoiceSetting<KernelWeightSettings, KernelWeightGranularity>(
            "granularity",
            "which kernels of a source share a weight",
            SettingWords.Granularities,
            settings => settings.Granularity,
            (settings, value) => settings with { Granularity = value }),
        new ChoiceSetting<KernelWeightSettings, KernelWeightParameterisation>(
            "parameterisation",
            "how α comes from what is learned; `softmax` and `sigmoid` (two sources) give shares, `free` and `clamped` (0 to 1) any sum",
            SettingWords.Parameterisations,
            settings => settings.Parameterisation,
            (settings, value) => settings with { Parameterisation = value }),
        new NumberSetting<KernelWeightSettings>(
            "entropyPenalty",
            "times α's mean entropy: above 0 towards one source a filter, below 0 towards equal shares",
            -100,
            100,
            settings => settings.EntropyPenalty,
            (settings, value) => settings with { EntropyPenalty = value }),
        new NumberSetting<KernelWeightSettings>(
            "startPenalty",
            "times half the squared distance of a filter's α from its start, which leans to the anchor",
            0,
            1000,
            settings => settings.StartPenalty,
            (settings, value) => settings with { StartPenalty = value }),
    ];

    /// <summary>How models are fine-tuned.</summary>
    public static IReadOnlyList<Setting<FineTuneSettings>> FineTune { get; } =
    [
        DeclareEpochs(min: 0, "passes over the training images; baselines get more, so that all methods see the images equally often"),
        .. Training,
    ];

    /// <summary>How sources are pretrained, in addition to <see cref="Pretraining.Seed"/>.</summary>
    public static IReadOnlyList<Setting<FineTuneSettings>> Pretrain { get; } =
    [
        DeclareEpochs(min: 1, "passes over the training images"),
        .. Training,
        DeclareAugmentation<FineTuneSettings>(
            "what happens to training images, drawn anew for each image and epoch",
            settings => settings.Augmentation,
            (settings, value) => settings with { Augmentation = value }),
        .. ClassImbalance.Select(setting => setting.Within<FineTuneSettings>(
            null,
            settings => settings.Imbalance,
            (settings, value) => settings with { Imbalance = value })),
    ];

    /// <summary>Settings at the top level of a specification.</summary>
    public static IReadOnlyList<Setting<ScenarioSettings>> TopLevel { get; } =
    [
        DeclareAugmentation<ScenarioSettings>(
            "what happens to training images, drawn anew for each image and epoch, for learning kernel weights and fine-tuning alike",
            settings => settings.FineTune.Augmentation,
            WithAugmentation),
        .. ClassImbalance.Select(setting => setting.Within<ScenarioSettings>(
            null,
            settings => settings.FineTune.Imbalance,
            WithImbalance)),
        new ChoiceSetting<ScenarioSettings, AlignmentMethod>(
            "alignment",
            "what brings the other sources' channels into the order of the anchor's before merging: their kernels, or what they give for " +
            "training images",
            SettingWords.Alignments,
            settings => settings.Alignment,
            (settings, value) => settings with { Alignment = value }),
        new TextSetting<ScenarioSettings>(
            GivenLayers.Setting,
            "layers that one source gives alone, and α is not learned in: `conv1=imagenet, layer4=chest`",
            GivenLayers.Form,
            GivenLayers.IsValid,
            settings => settings.LayersFrom ?? GivenLayers.None,
            (settings, value) => settings with { LayersFrom = value == GivenLayers.None ? null : value }),
        new ChoiceSetting<ScenarioSettings, SourceInput>(
            "inputNormalisation",
            "mean and deviation that images have in the eyes of source models: the target's, or those that each was trained on",
            SettingWords.SourceInputs,
            settings => settings.InputNormalisation,
            (settings, value) => settings with { InputNormalisation = value }),
        new ChoiceSetting<ScenarioSettings, BatchNormPolicy>(
            "batchNorm",
            "what becomes of the sources' batch norms: `fold` takes each into its kernels first; `mix` weighs γ and β by the same α, and " +
            "takes the statistics of the merged model",
            SettingWords.BatchNormPolicies,
            settings => settings.BatchNorm,
            (settings, value) => settings with { BatchNorm = value }),
        new ChoiceSetting<ScenarioSettings, Rescaling>(
            "rescaling",
            "what happens to a merged model's channels: `repair` gives them the mean and deviation that the sources' have on the target",
            SettingWords.Rescalings,
            settings => settings.Rescaling,
            (settings, value) => settings with { Rescaling = value }),
        new ChoiceSetting<ScenarioSettings, Metric>(
            "metric",
            "the score that epochs, learning rates and the rival are chosen by on validation, and that the verdict is about",
            SettingWords.Metrics,
            settings => settings.Metric,
            WithMetric),
        new NumberSetting<ScenarioSettings>(
            "equivalenceMargin",
            "a difference of the metric below which methods are as good as equal in practice, such as 0.02; 0 names none",
            0,
            0.5,
            settings => settings.EquivalenceMargin,
            (settings, value) => settings with { EquivalenceMargin = value }),
        new ChoiceSetting<ScenarioSettings, ModelChoice>(
            "select",
            "what `medmerge` ends with: its own model, or the best single source's where merging is not better on validation",
            SettingWords.ModelChoices,
            settings => settings.Select,
            (settings, value) => settings with { Select = value }),
        new WholeNumberSetting<ScenarioSettings>(
            "learningRateTries",
            "rates that every fine-tuning tries, a factor of 3 apart around `fineTune.learningRate`; validation chooses",
            1,
            MaxTries,
            settings => settings.LearningRateTries,
            (settings, value) => settings with { LearningRateTries = value }),
        new TextSetting<ScenarioSettings>(
            "device",
            "what to compute on; a GPU's model is added on submission: results depend on it",
            DeviceName.Forms,
            DeviceName.IsValid,
            settings => settings.Device,
            (settings, value) => settings with { Device = value }),
        new WholeNumberSetting<ScenarioSettings>(
            "threads",
            "libtorch's threads for one stage; its sums depend on them. More for one large model; several stages run at a time anyhow",
            1,
            DeviceThread.MaxThreads,
            settings => settings.Threads,
            (settings, value) => settings with { Threads = value }),
    ];

    /// <summary>All settings of a scenario by full path, in the order of documentation and results.</summary>
    public static IReadOnlyList<Setting<ScenarioSettings>> All { get; } =
    [
        .. KernelWeights.Select(setting => setting.Within<ScenarioSettings>(
            KernelWeightsKey,
            settings => settings.KernelWeights,
            (settings, value) => settings with { KernelWeights = value })),
        .. FineTune.Select(setting => setting.Within<ScenarioSettings>(
            FineTuneKey,
            settings => settings.FineTune,
            (settings, value) => settings with { FineTune = value })),
        .. TopLevel,
    ];

    /// <summary>Reads the settings of a mapping.</summary>
    /// <param name="defaults">Values of settings that are left out.</param>
    internal static TOwner Read<TOwner>(IEnumerable<Setting<TOwner>> settings, YamlMap map, TOwner defaults) =>
        settings.Aggregate(defaults, (owner, setting) => setting.Read(map, owner));

    private static WholeNumberSetting<FineTuneSettings> DeclareEpochs(int min, string help) => new(
        "epochs",
        help,
        min,
        TrainingBounds.MaxEpochs,
        settings => settings.Epochs,
        (settings, value) => settings with { Epochs = value });

    private static ScenarioSettings WithMetric(ScenarioSettings settings, Metric value) => settings with
    {
        KernelWeights = settings.KernelWeights with { Metric = value },
        FineTune = settings.FineTune with { Metric = value },
    };

    private static TextSetting<TOwner> DeclareAugmentation<TOwner>(
        string help,
        Func<TOwner, Augmentation> get,
        Func<TOwner, Augmentation, TOwner> with) where TOwner : new() => new(
            "augmentation",
            help,
            Augmentation.Form,
            text => Augmentation.TryParse(text, out _),
            settings => get(settings).ToString(),
            (settings, text) => with(settings, Augmentation.Parse(text)));

    private static ScenarioSettings WithImbalance(ScenarioSettings settings, Imbalance value) => settings with
    {
        KernelWeights = settings.KernelWeights with { Imbalance = value },
        FineTune = settings.FineTune with { Imbalance = value },
    };

    private static ScenarioSettings WithAugmentation(ScenarioSettings settings, Augmentation value) => settings with
    {
        KernelWeights = settings.KernelWeights with { Augmentation = value },
        FineTune = settings.FineTune with { Augmentation = value },
    };
}
