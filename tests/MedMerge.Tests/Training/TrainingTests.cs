using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Telemetry;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Tests.Training;

public class TrainingTests
{
    private static readonly ImageDataset Target = Phantoms.Create("cells", train: 24, validation: 12, test: 6);
    private static readonly Architecture Network = Architectures.Create("resnet20", 0.25);

    [Fact]
    public void AdamW_steps_as_PyTorchs()
    {
        using var scope = NewDisposeScope();
        var start = tensor(new[] { 1.0, -2.0, 0.5 });
        var ours = start.clone();
        var theirs = new TorchSharp.Modules.Parameter(start.clone());
        using var optimiser = new AdamW(ours, weightDecay: 0.1);
        var reference = optim.AdamW([theirs], lr: 0.05, weight_decay: 0.1);
        for (var i = 0; i < 20; i++)
        {
            var gradient = tensor(new[] { Math.Sin(i), Math.Cos(i), 1.0 });
            theirs.grad = gradient;
            reference.step();
            optimiser.Step([gradient], 0.05);
        }
        Assert.True(ours.allclose(theirs, 1e-10, 1e-10), $"{ours.str()} against {theirs.str()}");
    }

    [Fact]
    public void Adam_steps_as_PyTorchs()
    {
        using var scope = NewDisposeScope();
        double[] ours = [1.0, -2.0];
        var theirs = new TorchSharp.Modules.Parameter(tensor(ours.ToArray()));
        var optimiser = Adam.For(2);
        var reference = optim.Adam([theirs], lr: 0.1);
        for (var i = 0; i < 20; i++)
        {
            double[] gradient = [Math.Sin(i), 0.3];
            theirs.grad = tensor(gradient);
            reference.step();
            optimiser = optimiser.Step(ours, gradient, 0.1);
        }
        Assert.True(tensor(ours).allclose(theirs, 1e-10, 1e-10));
    }

    [Fact]
    public void The_probe_finds_the_optimum_of_its_penalised_loss()
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(1);
        var labels = Enumerable.Range(0, 60).Select(i => i % 3).ToArray();
        var values = labels.SelectMany(label => Enumerable.Range(0, 5).Select(j => random.NextNormal() + (j == label ? 1.5 : 0)));
        var features = tensor([.. values]).view(60, 5);

        var head = LinearProbe.Fit(features, labels, 3, decay: 0.01, CancellationToken.None);

        // At the optimum the gradient, by autograd, is zero.
        var weight = tensor(head.Weight).view(3, 5).requires_grad_();
        var bias = tensor(head.Bias).requires_grad_();
        var logits = nn.functional.linear(features, weight, bias);
        var truth = tensor(Array.ConvertAll(labels, label => (long)label));
        var loss = nn.functional.cross_entropy(logits, truth) + (0.005 * weight.square().sum());
        var gradients = autograd.grad([loss], [weight, bias]);
        Assert.True(gradients.Max(gradient => gradient.abs().max().item<double>()) < 2e-6);
        Assert.True(loss.item<double>() < 0.8 * Math.Log(3));
    }

    /// <summary>Stopped after any epoch and restored from its saved state, a training ends with the bytes of the undisturbed one.</summary>
    [Theory]
    [InlineData(0, KernelWeightParameterisation.Softmax, KernelWeightGranularity.Filter)]
    [InlineData(1, KernelWeightParameterisation.Softmax, KernelWeightGranularity.Filter)]
    [InlineData(3, KernelWeightParameterisation.Softmax, KernelWeightGranularity.Model)]
    [InlineData(2, KernelWeightParameterisation.Sigmoid, KernelWeightGranularity.Layer)]
    [InlineData(2, KernelWeightParameterisation.Free, KernelWeightGranularity.Filter)]
    [InlineData(2, KernelWeightParameterisation.Clamped, KernelWeightGranularity.Filter)]
    public async Task Weight_learning_gives_the_same_bytes_also_when_it_was_stopped(
        int stopAfter,
        KernelWeightParameterisation parameterisation,
        KernelWeightGranularity granularity)
    {
        var (first, stopped) = (await LearnAsync(-1), await LearnAsync(stopAfter));
        Assert.Equal(first.Save(), stopped.Save());
        Assert.Equal(5, first.History.Count);
        Assert.True(first.History[^1].Loss < first.History[1].Loss);

        async Task<KernelWeightLearner> LearnAsync(int stopAfter)
        {
            var settings = new KernelWeightSettings
            {
                Epochs = 4,
                BatchSize = 8,
                Shards = 2,
                Augmentation = Augmentation.ShiftedAndFlipped,
                Parameterisation = parameterisation,
                Granularity = granularity,
                StartPenalty = 0.1,
            };
            await using var device = new DeviceThread(TestDevice.Name, 1);
            using var computer = CreateComputer(settings);
            var workers = new LocalShardWorkers<KernelWeightStep, KernelWeightGradient>(device, computer, 2);
            var learner = CreateLearner(settings);
            while (!learner.IsDone)
            {
                var epoch = await learner.RunEpochAsync(workers, CancellationToken.None);
                if (epoch.Epoch == stopAfter) learner = Restore(learner.Save(), settings);
            }
            return learner;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public void Fine_tuning_gives_the_same_bytes_also_when_it_was_stopped(int stopAfter)
    {
        var (first, _) = Tune(stopAfter: -1);
        var (stopped, history) = Tune(stopAfter);
        Assert.Equal(first, stopped);
        Assert.Equal(5, history.Count);
        Assert.True(history[^1].Loss < history[1].Loss);

        static (byte[] State, IReadOnlyList<EpochRecord> History) Tune(int stopAfter)
        {
            using var start = Network.Initialise(1, Target.Classes);
            var tuner = Create(start);
            while (!tuner.IsDone)
            {
                if (tuner.RunEpoch(CancellationToken.None).Epoch != stopAfter) continue;
                var state = tuner.Save();
                tuner.Dispose();
                tuner = Create(start);
                tuner.Restore(state);
            }
            using (tuner) return (tuner.Save(), tuner.History.ToList());
        }

        static FineTuner Create(StateDict start) =>
            CreateTuner(start, new FineTuneSettings { Epochs = 4, BatchSize = 8, Augmentation = Augmentation.Shifted });
    }

    /// <summary>Cancelled between two steps and restored from its state, a training ends with the bytes of the undisturbed one.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(6)]
    public async Task Weight_learning_handed_over_at_a_step_ends_with_the_same_bytes(int steps)
    {
        var settings = new KernelWeightSettings { Epochs = 2, BatchSize = 8, Shards = 2 };
        Assert.Equal(await LearnAsync(stopAfter: -1), await LearnAsync(steps));

        async Task<byte[]> LearnAsync(int stopAfter)
        {
            await using var device = new DeviceThread(TestDevice.Name, 1);
            using var computer = CreateComputer(settings);
            using var stop = new StepStop(stopAfter, TrainingNames.KernelWeights);
            var workers = new LocalShardWorkers<KernelWeightStep, KernelWeightGradient>(device, computer, 2);
            var learner = CreateLearner(settings);
            while (!learner.IsDone)
            {
                try
                {
                    await stop.RunAsync(token => learner.RunEpochAsync(workers, token));
                }
                catch (OperationCanceledException)
                {
                    learner = Restore(learner.Save(), settings);
                }
            }
            stop.AssertStopped();
            return learner.Save();
        }
    }

    /// <inheritdoc cref="Weight_learning_handed_over_at_a_step_ends_with_the_same_bytes" />
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Sharded_fine_tuning_handed_over_at_a_step_ends_with_the_same_bytes(int steps)
    {
        var settings = new FineTuneSettings { Epochs = 2, BatchSize = 8, Shards = 2 };
        Assert.Equal(await TuneAsync(stopAfter: -1), await TuneAsync(steps));

        async Task<byte[]> TuneAsync(int stopAfter)
        {
            await using var device = new DeviceThread(TestDevice.Name, 1);
            using var start = Network.Initialise(1, Target.Classes);
            using var computer = new FineTuneGradientComputer(Network, start, Target, settings, seed: 5, TestDevice.Torch);
            using var stop = new StepStop(stopAfter, TrainingNames.FineTune);
            var workers = new LocalShardWorkers<FineTuneStep, FineTuneGradient>(device, computer, 2);
            var tuner = Create();
            while (!tuner.IsDone)
            {
                try
                {
                    await stop.RunAsync(token => tuner.RunEpochAsync(workers, token));
                }
                catch (OperationCanceledException)
                {
                    var saved = tuner.Save();
                    (tuner = Create()).Restore(saved);
                }
            }
            stop.AssertStopped();
            return tuner.Save();

            ShardedFineTuner Create() => new(computer.Layout.Flatten(start), computer.Layout.Parameters, startCounts: true, settings);
        }
    }

    /// <inheritdoc cref="Weight_learning_handed_over_at_a_step_ends_with_the_same_bytes" />
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Fine_tuning_handed_over_at_a_step_ends_with_the_same_bytes(int steps)
    {
        Assert.Equal(await TuneAsync(stopAfter: -1), await TuneAsync(steps));

        static async Task<byte[]> TuneAsync(int stopAfter)
        {
            using var start = Network.Initialise(1, Target.Classes);
            using var stop = new StepStop(stopAfter, TrainingNames.FineTune);
            var tuner = Create(start);
            while (!tuner.IsDone)
            {
                try
                {
                    await stop.RunAsync(token => Task.FromResult(tuner.RunEpoch(token)));
                }
                catch (OperationCanceledException)
                {
                    var saved = tuner.Save();
                    tuner.Dispose();
                    (tuner = Create(start)).Restore(saved);
                }
            }
            stop.AssertStopped();
            using (tuner) return tuner.Save();
        }

        static FineTuner Create(StateDict start) => CreateTuner(start, new FineTuneSettings { Epochs = 2, BatchSize = 8 });
    }

    /// <summary>With one shard the coordinator's arithmetic is the device's: the same losses up to float32's rounding.</summary>
    [Fact]
    public async Task One_shard_through_the_coordinator_trains_as_a_single_device()
    {
        await using var device = new DeviceThread(TestDevice.Name, 1);
        using var start = Network.Initialise(1, Target.Classes);
        var settings = new FineTuneSettings { Epochs = 3, BatchSize = 8, LearningRate = 1e-3, Augmentation = Augmentation.Shifted };
        using var single = new FineTuner(Network, start, startCounts: true, Target, settings, 5, TestDevice.Torch);
        using var computer = new FineTuneGradientComputer(Network, start, Target, settings, 5, TestDevice.Torch);
        var sharded = new ShardedFineTuner(computer.Layout.Flatten(start), computer.Layout.Parameters, startCounts: true, settings);
        var workers = new LocalShardWorkers<FineTuneStep, FineTuneGradient>(device, computer, 1);
        while (!single.IsDone)
        {
            var expected = single.RunEpoch(CancellationToken.None);
            var actual = await sharded.RunEpochAsync(workers, CancellationToken.None);
            if (expected.Epoch > 0) Assert.Equal(expected.Loss, actual.Loss, 1e-3 * expected.Loss);
            Assert.Equal(expected.Validation.Loss, actual.Validation.Loss, 1e-2 * expected.Validation.Loss);
        }
        Assert.True(sharded.History[^1].Loss < sharded.History[1].Loss);
    }

    [Theory]
    [InlineData(24, 8, 8)]
    [InlineData(7, 64, 4)]
    public void A_shard_with_a_step_of_one_image_is_refused(int images, int batchSize, int shards)
    {
        var settings = new FineTuneSettings { BatchSize = batchSize, Shards = shards };
        var error = Assert.Throws<InputException>(() => settings.PlanFor(new ImageSplit([], new int[images]), seed: 0));
        Assert.Contains("every shard needs at least 2 images", error.Message, StringComparison.Ordinal);
    }

    /// <summary>At 28 pixels ResNet-18 ends in one pixel a channel: batch norm over one image would have a variance of 0/0.</summary>
    [Fact]
    public void A_training_split_of_one_image_more_than_whole_batches_trains_to_numbers()
    {
        var target = Phantoms.Create("cells", train: 9, validation: 6, test: 6);
        var network = Architectures.Create("resnet18", 0.125);
        using var start = network.Initialise(1, target.Classes);
        var settings = new FineTuneSettings { Epochs = 2, BatchSize = 8 };
        using var tuner = new FineTuner(network, start, startCounts: true, target, settings, 3, TestDevice.Torch);
        while (!tuner.IsDone) Assert.True(double.IsFinite(tuner.RunEpoch(CancellationToken.None).Validation.Loss));
        Assert.Null(tuner.BestModel.FirstNonFinite());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Random_weights_are_never_the_best_epoch(bool startCounts)
    {
        using var start = Network.Initialise(1, Target.Classes);
        // Too high a rate for a single epoch: it scores worse than the start, as is checked below.
        var settings = new FineTuneSettings { Epochs = 1, BatchSize = 8, LearningRate = 0.02 };
        using var tuner = new FineTuner(Network, start, startCounts, Target, settings, 3, TestDevice.Torch);
        while (!tuner.IsDone) tuner.RunEpoch(CancellationToken.None);
        Assert.False(tuner.History[1].Validation.IsBetterThan(tuner.History[0].Validation));
        Assert.Equal(startCounts, tuner.BestModel["conv1.weight"].equal(start["conv1.weight"]).all().item<bool>());
    }

    [Fact]
    public void Answers_that_are_no_numbers_are_refused()
    {
        using var loader = new BatchLoader(Target, TestDevice.Torch);
        static Tensor NaN(Tensor images) => zeros(images.shape[0], 3).log() - zeros(images.shape[0], 3).log();
        var error = Assert.Throws<ComputationException>(() => Scoring.Predict(NaN, Target.Validation, 3, loader, CancellationToken.None));
        Assert.Contains("held-out image 0 is not a number", error.Message, StringComparison.Ordinal);
    }

    private static KernelWeightGradientComputer CreateComputer(KernelWeightSettings settings) =>
        new(Network, RandomModels.Prepared(Network, 2), Target, settings, seed: 5, TestDevice.Torch);

    private static KernelWeightLearner CreateLearner(KernelWeightSettings settings)
    {
        var head = new Head(new double[Target.Classes * Network.Features], new double[Target.Classes]);
        var map = new KernelWeightMap(Network, 2, settings);
        return new KernelWeightLearner(map, map.Start(anchor: 0, 0.9), head, settings);
    }

    private static KernelWeightLearner Restore(byte[] state, KernelWeightSettings settings)
    {
        var map = new KernelWeightMap(Network, 2, settings);
        return KernelWeightLearner.Restore(state, map, map.Start(anchor: 0, 0.9), settings);
    }

    private static FineTuner CreateTuner(StateDict start, FineTuneSettings settings) =>
        new(Network, start, startCounts: true, Target, settings, seed: 3, TestDevice.Torch);
}
