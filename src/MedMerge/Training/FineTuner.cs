using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Telemetry;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// Trains a whole model on one device, epoch by epoch, with AdamW and a cosine schedule, and keeps the best epoch by
/// its score on the validation split. If cancelled, it stops between two steps and can be saved there. Device thread only.
/// </summary>
internal sealed class FineTuner : IDisposable
{
    private const string Current = "current.";
    private const string Best = "best.";
    private const string Optimiser = "optimiser.";
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(250);
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly Architecture _architecture;
    private readonly ImageDataset _target;
    private readonly FineTuneSettings _settings;
    private readonly ulong _seed;
    private readonly Device _device;
    private readonly ShardPlan _plan;
    private readonly BatchLoader _loader;
    private readonly ClassificationLoss _objective;
    private readonly bool _startCounts;
    private BatchNormNetwork _network;
    private AdamW _optimiser;
    private StateDict _best;
    private TrainingHistory _history = TrainingHistory.Empty;
    private int _step;
    private readonly Tensor _loss; // sum over the epoch's images so far, on the device: reading it waits for all that is queued there

    /// <param name="start">Under the architecture's names, with a classifier of the target's classes; copied.</param>
    /// <param name="startCounts">As <see cref="TrainingHistory.With"/> takes it.</param>
    public FineTuner(
        Architecture architecture,
        StateDict start,
        bool startCounts,
        ImageDataset target,
        FineTuneSettings settings,
        ulong seed,
        Device device)
    {
        _architecture = architecture;
        _startCounts = startCounts;
        _target = target;
        _settings = settings;
        _seed = seed;
        _device = device;
        _plan = (settings with { Shards = 1 }).PlanFor(target.Train, seed);
        _loader = new BatchLoader(target, device);
        _objective = new ClassificationLoss(settings.Imbalance, target, device);
        _best = start.Clone();
        _loss = zeros(1, ScalarType.Float64, device).DetachFromDisposeScope();
        (_network, _optimiser) = Build(start);
    }

    /// <summary>Whether all epochs are done.</summary>
    public bool IsDone => _settings.IsWhole(History);

    /// <summary>The best epoch's model so far, the start where there is none. Owned by this object.</summary>
    public StateDict BestModel => _best;

    /// <summary>Every epoch so far, from 0.</summary>
    public IReadOnlyList<EpochRecord> History => _history.Epochs;

    /// <summary>Runs the next epoch, or the rest of one that was cancelled; the first call measures the start.</summary>
    /// <exception cref="InputException">The loss is no longer a number: names the epoch.</exception>
    public EpochRecord RunEpoch(CancellationToken cancellation)
    {
        while (RunSteps(cancellation))
        {
            // A time slice at a time, until no step is left.
        }
        return EndEpoch(cancellation);
    }

    /// <summary>Runs steps of the epoch for a moment, so that other work on the device need not wait for all of it.</summary>
    /// <returns>Whether there are more.</returns>
    public bool RunSteps(CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        var epoch = _history.Count;
        for (; epoch > 0 && _step < _plan.StepsPerEpoch; _step++)
        {
            if (Stopwatch.GetElapsedTime(start) > Slice) return true;
            cancellation.ThrowIfCancellationRequested();
            Step(epoch, _step);
        }
        return false;
    }

    /// <summary>Ends an epoch whose steps are all done: measures it.</summary>
    /// <exception cref="InputException">The loss is no longer a number: names the epoch.</exception>
    public EpochRecord EndEpoch(CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var epoch = _history.Count;
        var loss = _loss.item<double>();
        TrainingHistory.CheckLoss(loss, epoch, _settings);

        Tensor Logits(Tensor images) => _network.Forward(images, training: false);
        var predictions = Scoring.Predict(Logits, _target.Validation, _target.Classes, _loader, cancellation);
        var validation = Scoring.Validate(predictions);
        var record = new EpochRecord(epoch, epoch == 0 ? double.NaN : loss / _target.Train.Count, validation);
        _history = _history.With(record, _startCounts, _settings.Metric);
        _step = 0;
        _loss.zero_();
        if (epoch > 0 && _history.BestEpoch == epoch)
        {
            _best.Dispose();
            _best = _network.Snapshot();
        }
        return record;
    }

    /// <summary>
    /// Everything that the next step depends on, as a safetensors file. Random numbers follow from seed, epoch and
    /// step.
    /// </summary>
    public byte[] Save()
    {
        using var state = new StateDict();
        using var scope = NewDisposeScope();
        using var current = _network.Snapshot();
        foreach (var (name, tensor) in current) state.Add(Current + name, tensor);
        foreach (var (name, tensor) in _best) state.Add(Best + name, tensor);
        _optimiser.Save(state, Optimiser);
        var progress = new Progress(_optimiser.Steps, _history, _step, _loss.item<double>());
        return Safetensors.Write(state, new Dictionary<string, string> { ["progress"] = JsonSerializer.Serialize(progress, Json) });
    }

    /// <summary>Continues from a state that <see cref="Save"/> gave, of a training with the same start and settings.</summary>
    public void Restore(byte[] saved)
    {
        var (state, metadata) = ArtefactTensors.Read(saved, "fine-tuning checkpoint");
        using (state)
        {
            var progress = JsonSerializer.Deserialize<Progress>(metadata["progress"], Json)
                           ?? throw new JsonException("The progress of fine-tuning is null.");
            using var current = Part(state, Current);
            _best.Dispose();
            _best = Part(state, Best);
            _network.Dispose();
            _optimiser.Dispose();
            (_network, _optimiser) = Build(current);
            _optimiser.Restore(state, Optimiser, progress.OptimiserSteps);
            _history = progress.History;
            _step = progress.Step;
            using var loss = tensor(new[] { progress.Loss });
            _loss.copy_(loss);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _loader.Dispose();
        _objective.Dispose();
        _network.Dispose();
        _optimiser.Dispose();
        _best.Dispose();
        _loss.Dispose();
    }

    private (BatchNormNetwork, AdamW) Build(StateDict model)
    {
        using var scope = NewDisposeScope();
        var network = new BatchNormNetwork(_architecture, model, _device);
        var optimiser = new AdamW(network.ParameterValues, _settings.WeightDecay);
        foreach (var parameter in network.Parameters) parameter.requires_grad_();
        return (network, optimiser);
    }

    private void Step(int epoch, int step)
    {
        using var scope = NewDisposeScope();
        var start = Stopwatch.GetTimestamp();
        var indices = _plan.Batch(epoch, step, shard: 0);
        var batch = _loader.LoadTraining(indices, _settings.Augmentation, _seed, epoch);
        var logits = _network.Forward(batch.Images, training: true);
        var loss = _objective.Mean(logits, batch.Labels, batch.Weights);
        var rate = _settings.LearningRateAt(epoch, step, _plan.StepsPerEpoch);
        _optimiser.Step(autograd.grad([loss], _network.Parameters), rate);
        _loss.Add(loss.detach().to(ScalarType.Float64), indices.Length);
        Instruments.StepDone(TrainingNames.FineTune, start, indices.Length);
    }

    private static StateDict Part(StateDict state, string prefix)
    {
        var part = new StateDict();
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in state)
            if (name.StartsWith(prefix, StringComparison.Ordinal)) part.Add(name[prefix.Length..], tensor.clone());
        return part;
    }

    private sealed record Progress(int OptimiserSteps, TrainingHistory History, int Step, double Loss);
}
