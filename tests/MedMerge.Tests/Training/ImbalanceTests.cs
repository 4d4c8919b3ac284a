using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Training;
using static TorchSharp.torch;

namespace MedMerge.Tests.Training;

public class ImbalanceTests
{
    private static readonly int[] Labels = [0, 0, 0, 0, 0, 0, 1, 1, 2, 0];

    [Fact]
    public void Balanced_weights_let_classes_count_alike_and_images_for_one_on_average()
    {
        var weights = Imbalance.Balance(CreateTarget(Labels, 3));
        Assert.Equal([10 / 21.0, 10 / 6.0, 10 / 3.0], weights);
        Assert.Equal(Labels.Length, Labels.Sum(label => weights[label]), 1e-12);
    }

    /// <summary>Against the definition in plain arithmetic: −w (1 − p)^γ ln p.</summary>
    [Theory]
    [InlineData(ClassWeighting.None, 0)]
    [InlineData(ClassWeighting.Balanced, 0)]
    [InlineData(ClassWeighting.None, 2)]
    [InlineData(ClassWeighting.Balanced, 0.5)]
    public void The_loss_is_that_of_its_definition_and_shards_add_up(ClassWeighting weighting, double gamma)
    {
        using var scope = NewDisposeScope();
        var target = CreateTarget(Labels, classes: 3);
        var imbalance = new Imbalance { ClassWeights = weighting, FocalGamma = gamma };
        using var loss = new ClassificationLoss(imbalance, target, TestDevice.Torch, ScalarType.Float64);
        var random = new RandomStream(2);
        double[] values = [.. Enumerable.Range(0, Labels.Length * 3).Select(_ => 2 * random.NextNormal())];
        var logits = tensor(values).view(Labels.Length, 3).to(TestDevice.Torch);
        var labels = tensor(Array.ConvertAll(Labels, label => (long)label)).to(TestDevice.Torch);
        var weights = weighting == ClassWeighting.None ? [1, 1, 1] : Imbalance.Balance(target);

        var expected = Labels.Select((label, i) =>
        {
            var row = values.AsSpan(3 * i, 3).ToArray();
            var p = Math.Exp(row[label]) / row.Sum(Math.Exp);
            return -weights[label] * Math.Pow(1 - p, gamma) * Math.Log(p);
        }).Sum();

        Assert.Equal(expected, loss.Sum(logits, labels).item<double>(), 1e-5 * expected);
        Assert.Equal(expected / Labels.Length, loss.Mean(logits, labels).item<double>(), 1e-5 * expected);
        var parts = Sum(0, 4) + Sum(4, 6);
        Assert.Equal(parts, loss.Sum(logits, labels).item<double>(), 1e-9);

        double Sum(int from, int count) => loss.Sum(logits.narrow(0, from, count), labels.narrow(0, from, count)).item<double>();
    }

    /// <summary>An answer that is certain has a gradient, which is no NaN.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    public void Focal_loss_has_a_finite_gradient_where_the_answer_is_certain(double gamma)
    {
        using var scope = NewDisposeScope();
        using var loss = new ClassificationLoss(new Imbalance { FocalGamma = gamma }, CreateTarget(Labels, 3), TestDevice.Torch);
        var logits = tensor(new[] { 200f, 0, 0, -200, 0, 0 }).view(2, 3).to(TestDevice.Torch).requires_grad_();
        var labels = zeros(2, ScalarType.Int64, TestDevice.Torch);
        var gradient = autograd.grad([loss.Sum(logits, labels)], [logits])[0];
        Assert.True(gradient.isfinite().all().item<bool>());
        Assert.Equal(-1, gradient[1][0].item<float>(), 1e-4); // as cross-entropy where the answer is certain and wrong
    }

    /// <summary>A weight of two is the image twice.</summary>
    [Fact]
    public void A_weighted_probe_is_that_of_repeated_images()
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(1);
        int[] labels = [.. Enumerable.Range(0, 60).Select(i => i % 3 == 0 ? 1 : 0)];
        double[] values = [.. labels.SelectMany(label => Enumerable.Range(0, 4).Select(j => random.NextNormal() + (j == label ? 1 : 0)))];
        var features = tensor(values).view(60, 4);
        int[] repeated = [.. Enumerable.Range(0, 60), .. Enumerable.Range(0, 60).Where(i => labels[i] == 1)];
        var index = tensor(Array.ConvertAll(repeated, i => (long)i));

        var weights = new Imbalance { ClassWeights = ClassWeighting.Balanced }.WeighProbe(CreateTarget(labels, 2));

        var weighted = LinearProbe.Fit(features, labels, 2, decay: 0.01, CancellationToken.None, weights);
        var twice = Array.ConvertAll(repeated, i => labels[i]);
        var expected = LinearProbe.Fit(features.index_select(0, index), twice, 2, decay: 0.01, CancellationToken.None);

        Assert.Equal(expected.Weight, weighted.Weight, (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.Equal(expected.Bias, weighted.Bias, (a, b) => Math.Abs(a - b) < 1e-4);
    }

    /// <summary>What each image counts in a list, from its loss on: a weight of three is the image three times, on a mean of one.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void An_images_weight_is_as_good_as_repeating_it(double gamma)
    {
        using var scope = NewDisposeScope();
        float[] weights = [3, 1, 1, 3, 1, 1, 1, 1, 3, 1];
        var target = CreateTarget(Labels, classes: 3, weights);
        using var objective = new ClassificationLoss(new Imbalance { FocalGamma = gamma }, target, TestDevice.Torch, ScalarType.Float64);
        using var loader = new BatchLoader(target, TestDevice.Torch, ScalarType.Float64);
        var random = new RandomStream(2);
        double[] values = [.. Enumerable.Range(0, Labels.Length * 3).Select(_ => 2 * random.NextNormal())];
        var logits = tensor(values).view(Labels.Length, 3).to(TestDevice.Torch);
        int[] repeated = [.. Enumerable.Range(0, Labels.Length).SelectMany(i => Enumerable.Repeat(i, (int)weights[i]))];

        var batch = loader.LoadTraining([.. Enumerable.Range(0, Labels.Length)], Augmentation.None, seed: 1, epoch: 1);
        var weighted = objective.Mean(logits, batch.Labels, batch.Weights).item<double>();

        var index = tensor(Array.ConvertAll(repeated, i => (long)i)).to(TestDevice.Torch);
        var twice = objective.Mean(logits.index_select(0, index), batch.Labels.index_select(0, index)).item<double>();
        Assert.Equal(twice, weighted, 1e-9);
    }

    [Fact]
    public void A_probe_counts_images_by_their_weights_and_classes_too()
    {
        float[] weights = [3, 1, 1, 3, 1, 1, 1, 1, 3, 1];
        var (plain, balanced) = (new Imbalance(), new Imbalance { Sampling = ClassSampling.Balanced });
        var target = CreateTarget(Labels, 3, weights);
        var classes = Imbalance.Balance(target);
        Assert.Equal(weights.Select(weight => weight / 1.6), plain.WeighProbe(target)!, (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(
            weights.Select((weight, i) => weight / 1.6 * classes[Labels[i]]),
            balanced.WeighProbe(target)!,
            (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Null(plain.WeighProbe(CreateTarget(Labels, 3)));
    }

    [Theory]
    [InlineData(1, 90)]
    [InlineData(3, 90)]
    [InlineData(2, 31)]
    public void Balanced_batches_have_equally_many_of_each_class_and_none_of_it_more_often_than_others(int shards, int images)
    {
        int[] labels = [.. Enumerable.Range(0, images).Select(i => i % 10 == 0 ? 2 : i % 3 == 0 ? 1 : 0)];
        var plan = new ShardPlan(images, shards, batchSize: 6, seed: 4, labels);
        for (var shard = 0; shard < shards; shard++)
        {
            var epoch = Epoch(plan, 1, shard);
            var plain = Epoch(new ShardPlan(images, shards, batchSize: 6, seed: 4), 1, shard);
            Assert.Equal(plain.Count, epoch.Count);
            Assert.Empty(epoch.Except(plain)); // from the shard's own part
            var counts = epoch.CountBy(image => labels[image]).ToDictionary();
            Assert.True(counts.Values.Max() - counts.Values.Min() <= 1);
            foreach (var own in epoch.GroupBy(image => labels[image]))
            {
                var times = own.CountBy(image => image).Select(pair => pair.Value).ToList();
                Assert.True(times.Max() - times.Min() <= 1);
            }
            Assert.NotEqual(epoch, Epoch(plan, 2, shard));
            Assert.Equal(epoch, Epoch(plan, 1, shard));
        }

        static List<int> Epoch(ShardPlan plan, int epoch, int shard) =>
            [.. Enumerable.Range(0, plan.StepsPerEpoch).SelectMany(step => plan.Batch(epoch, step, shard))];
    }

    /// <summary>One image in eleven is of the small class.</summary>
    [Theory]
    [InlineData(ClassWeighting.Balanced, ClassSampling.Once)]
    [InlineData(ClassWeighting.None, ClassSampling.Balanced)]
    public void What_is_done_about_imbalance_raises_the_recall_of_the_small_class(ClassWeighting weights, ClassSampling sampling)
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(5);
        int[] labels = [.. Enumerable.Range(0, 220).Select(i => i % 11 == 0 ? 1 : 0)];
        double[] values = [.. labels.SelectMany(label => Enumerable.Range(0, 3).Select(j => random.NextNormal() + label))];
        var features = tensor(values).view(220, 3);
        var imbalance = new Imbalance { ClassWeights = weights, Sampling = sampling };

        var (plain, helped) = (Recall(default), Recall(imbalance));

        Assert.True(plain < 0.5 && helped > plain + 0.3, $"The small class is recognised in {plain:P0} without and {helped:P0} with it.");

        double Recall(Imbalance of)
        {
            var head = LinearProbe.Fit(features, labels, 2, 0.01, CancellationToken.None, of.WeighProbe(CreateTarget(labels, 2)));
            var logits = nn.functional.linear(features, tensor(head.Weight).view(2, 3), tensor(head.Bias));
            var answers = logits.argmax(1).data<long>().ToArray();
            return labels.Index().Where(pair => pair.Item == 1).Average(pair => answers[pair.Index]);
        }
    }

    private static ImageDataset CreateTarget(int[] labels, int classes, float[]? weights = null)
    {
        var split = new ImageSplit(new byte[labels.Length * 64], labels) { Weights = weights };
        var info = Phantoms.Create("cells", 4, 3, 3).Info with { Height = 8, Width = 8, Channels = 1, Classes = classes };
        return new ImageDataset(info, split, split, split);
    }
}
