using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Merging;
using MedMerge.Telemetry;

namespace MedMerge.Training;

/// <summary>
/// Learns kernel weights, epoch by epoch: holds θ, the head and the optimisers' state, asks the workers for each shard's gradient and
/// steps down their sum. It never sees an image or a tensor. If cancelled, it stops between two steps and can be saved there.
/// </summary>
internal sealed class KernelWeightLearner
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly KernelWeightMap _map;
    private readonly KernelWeightMatrix _start; // α
    private readonly KernelWeightSettings _settings;
    private State _state;

    /// <param name="start">θ that learning starts from; copied.</param>
    /// <param name="head">The linear probe's head; copied.</param>
    public KernelWeightLearner(KernelWeightMap map, double[] start, Head head, KernelWeightSettings settings)
        : this(State.Begin(start, head), map, start, settings)
    {
    }

    private KernelWeightLearner(State state, KernelWeightMap map, double[] start, KernelWeightSettings settings)
    {
        _state = state;
        _map = map;
        _start = map.ToAlpha(start);
        _settings = settings;
    }

    /// <summary>Whether all epochs are done.</summary>
    public bool IsDone => _state.History.Count > _settings.Epochs;

    /// <summary>The best epoch's α and head; the start counts as epoch 0.</summary>
    public (KernelWeightMatrix Alpha, Head Head) Best => _state.Best is { } best
        ? (_start.With(best.Alpha), best.Head)
        : throw new InvalidOperationException("No epoch was run yet.");

    /// <summary>Every epoch so far, from 0.</summary>
    public IReadOnlyList<EpochRecord> History => _state.History;

    /// <summary>
    /// The mean of α by layer and source for every epoch of <see cref="History"/>; null where it was continued from a state of an earlier
    /// version, which did not keep it.
    /// </summary>
    public IReadOnlyList<double[][]>? LayerMeans => _state.LayerMeans;

    /// <summary>Continues from a state that <see cref="Save"/> gave, of a learning with the same sources and settings.</summary>
    /// <inheritdoc cref="KernelWeightLearner(KernelWeightMap, double[], Head, KernelWeightSettings)" path="/param" />
    public static KernelWeightLearner Restore(byte[] state, KernelWeightMap map, double[] start, KernelWeightSettings settings)
    {
        var restored = JsonSerializer.Deserialize<State>(state, Json) ?? throw new JsonException("The state of weight learning is null.");
        return new KernelWeightLearner(restored, map, start, settings);
    }

    /// <summary>Everything that the next step depends on.</summary>
    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(_state, Json);

    /// <summary>Runs the next epoch, or the rest of one that was cancelled; the first call measures the start.</summary>
    public async Task<EpochRecord> RunEpochAsync(
        IShardWorkers<KernelWeightStep, KernelWeightGradient> workers, CancellationToken cancellation)
    {
        var epoch = _state.History.Count;
        while (epoch > 0 && _state.Step < workers.StepsPerEpoch)
        {
            cancellation.ThrowIfCancellationRequested();
            await StepAsync(workers, epoch, _state.Step, cancellation).ConfigureAwait(false);
        }

        var alpha = _map.ToAlpha(_state.Theta);
        var head = _state.CopyHead();
        var step = new KernelWeightStep(epoch, _state.Step, alpha, head);
        var validation = await workers.ValidateAsync(step, cancellation).ConfigureAwait(false);

        var loss = epoch == 0 ? double.NaN : _state.Loss / _state.Images;
        var record = new EpochRecord(epoch, loss, validation, KernelWeights.Entropy(alpha));
        var isBest = _state.Best is null || validation.IsBetterThan(_state.History[_state.Best.Epoch].Validation, _settings.Metric);
        _state = _state with
        {
            Best = isBest ? new Candidate(epoch, alpha.Values, head) : _state.Best,
            History = [.. _state.History, record],
            LayerMeans = _state.LayerMeans is { } means ? [.. means, KernelWeights.LayerMeans(alpha)] : null,
            Step = 0,
            Loss = 0,
            Images = 0,
        };
        return record;
    }

    /// <summary>One step's gradient over all shards, loss and gradients averaged over the step's images; its shard is −1.</summary>
    /// <exception cref="InvalidOperationException">A worker answered for another step or shard.</exception>
    public static async Task<KernelWeightGradient> MeanGradientAsync(
        IShardWorkers<KernelWeightStep, KernelWeightGradient> workers, KernelWeightStep step, CancellationToken cancellation)
    {
        var alpha = step.Alpha.With(new double[step.Alpha.Values.Length]);
        var weight = new double[step.Head.Weight.Length];
        var bias = new double[step.Head.Bias.Length];
        var total = await ShardReduction.SumInOrderAsync(workers, step, part =>
        {
            Add(alpha.Values, part.Alpha.Values);
            Add(weight, part.HeadWeight);
            Add(bias, part.HeadBias);
        }, cancellation).ConfigureAwait(false);
        foreach (var sum in new[] { alpha.Values, weight, bias })
            for (var i = 0; i < sum.Length; i++) sum[i] /= total.Images;
        return new KernelWeightGradient(
            step.Epoch, step.Step, Shard: -1, total.Images, total.Loss / total.Images, alpha, weight, bias);
    }

    private async Task StepAsync(
        IShardWorkers<KernelWeightStep, KernelWeightGradient> workers, int epoch, int step, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        var theta = _state.Theta;
        var alpha = _map.ToAlpha(theta);
        var head = _state.CopyHead();
        var question = new KernelWeightStep(epoch, step, alpha, head);
        var gradient = await MeanGradientAsync(workers, question, cancellation).ConfigureAwait(false);
        for (var i = 0; i < head.Weight.Length; i++) gradient.HeadWeight[i] += _settings.HeadDecay * head.Weight[i];
        KernelWeightPenalty.AddGradient(gradient.Alpha, alpha, _start, _settings);
        var thetaGradient = _map.ThetaGradient(theta, gradient.Alpha);
        _state = _state with
        {
            ThetaAdam = _state.ThetaAdam.Step(theta, thetaGradient, _settings.LearningRate),
            WeightAdam = _state.WeightAdam.Step(_state.HeadWeight, gradient.HeadWeight, _settings.HeadLearningRate),
            BiasAdam = _state.BiasAdam.Step(_state.HeadBias, gradient.HeadBias, _settings.HeadLearningRate),
            Step = step + 1,
            Loss = _state.Loss + (gradient.Loss * gradient.Images),
            Images = _state.Images + gradient.Images,
        };
        _map.Project(theta);
        Instruments.StepDone(TrainingNames.KernelWeights, start, gradient.Images);
        Instruments.Gradient(TrainingNames.KernelWeights, thetaGradient);
    }

    private static void Add(double[] sum, double[] part)
    {
        for (var i = 0; i < sum.Length; i++) sum[i] += part[i];
    }

    private sealed record Candidate(int Epoch, double[] Alpha, Head Head);

    private sealed record State(
        double[] Theta,
        double[] HeadWeight,
        double[] HeadBias,
        Adam ThetaAdam,
        Adam WeightAdam,
        Adam BiasAdam,
        Candidate? Best,
        IReadOnlyList<EpochRecord> History,
        int Step,
        double Loss,
        int Images,
        IReadOnlyList<double[][]>? LayerMeans = null)
    {
        public static State Begin(double[] theta, Head head) => new(
            [.. theta],
            [.. head.Weight],
            [.. head.Bias],
            Adam.For(theta.Length),
            Adam.For(head.Weight.Length),
            Adam.For(head.Bias.Length),
            Best: null,
            History: [],
            Step: 0,
            Loss: 0,
            Images: 0,
            LayerMeans: []);

        public Head CopyHead() => new([.. HeadWeight], [.. HeadBias]);
    }
}
