using CsCheck;
using MedMerge.Data;
using MedMerge.Data.Formats;

namespace MedMerge.Tests.Data;

public class ShardPlanTests
{
    /// <summary>The same trial's epochs of learning kernel weights and of fine-tuning must not repeat each other's batches.</summary>
    [Fact]
    public void Kinds_of_stages_have_random_streams_of_their_own()
    {
        ulong[] stages = [StreamKeys.KernelWeightLearning, StreamKeys.FineTuning, StreamKeys.Statistics];
        var batches = stages
            .Select(stage => new ShardPlan(images: 64, shards: 1, batchSize: 16, StreamKeys.Derive(seed: 0, stage)).Batch(1, 0, 0))
            .Select(batch => string.Join(',', batch));

        Assert.Equal(stages.Length, batches.Distinct().Count());
    }

    [Fact]
    public void Every_epoch_shows_every_image_once_whatever_the_shards()
    {
        var plans = Gen.Select(Gen.Int[1, 300], Gen.Int[1, 8], Gen.Int[1, 16], Gen.Int[1, 5]);
        plans.Where((images, shards, _, _) => shards <= images).Sample((images, shards, perShard, epoch) =>
        {
            var plan = new ShardPlan(images, shards, shards * perShard, seed: 7);
            var seen = Enumerable.Range(0, plan.StepsPerEpoch)
                .SelectMany(step => Enumerable.Range(0, shards).SelectMany(shard => plan.Batch(epoch, step, shard)))
                .Order();
            Assert.Equal(Enumerable.Range(0, images), seen);
        }, iter: 300);
    }

    [Fact]
    public void A_shards_part_is_fixed_and_its_order_changes_with_the_epoch()
    {
        var plan = new ShardPlan(100, 4, 100, seed: 1);
        var (first, second) = (plan.Batch(1, 0, 2), plan.Batch(2, 0, 2));
        Assert.NotEqual(first, second);
        Assert.Equal(first.Order(), second.Order());
        Assert.NotEqual(first.Order(), new ShardPlan(100, 4, 100, seed: 2).Batch(1, 0, 2).Order());
    }

    [Theory]
    [InlineData(9, 1, new[] { 9 })]
    [InlineData(10, 1, new[] { 8, 2 })]
    [InlineData(17, 1, new[] { 8, 9 })]
    [InlineData(1, 1, new[] { 1 })]
    [InlineData(17, 2, new[] { 9, 8 })] // of step 0: shard 0 has one image more, and no second step for it alone
    public void No_batch_is_left_with_one_image(int images, int shards, int[] sizes)
    {
        var plan = new ShardPlan(images, shards, shards * 8, seed: 1);
        var batches = Enumerable.Range(0, plan.StepsPerEpoch)
            .SelectMany(step => Enumerable.Range(0, shards).Select(shard => plan.Batch(1, step, shard).Length));
        Assert.Equal(sizes, batches);
    }

    [Fact]
    public void The_largest_batch_takes_everything_in_its_first_step()
    {
        var plan = new ShardPlan(10, 1, int.MaxValue, seed: 1);
        Assert.Equal([10, 0, 0], Enumerable.Range(0, 3).Select(step => plan.Batch(1, step, 0).Length));
    }

    [Fact]
    public void Impossible_shards_are_refused()
    {
        Assert.Throws<InputException>(() => new ShardPlan(3, 4, 4, 0));
        Assert.Throws<InputException>(() => new ShardPlan(10, 4, 6, 0));
    }

    /// <summary>Pinned: a change here changes every result that was ever stored.</summary>
    [Fact]
    public void Random_streams_never_change()
    {
        var random = new RandomStream(1, 2, 3);
        ulong[] bits = [random.NextBits(), random.NextBits()];
        Assert.Equal(Pinned, bits);
        Assert.NotEqual(bits[0], new RandomStream(1, 2, 4).NextBits());
        Assert.NotEqual(bits[0], new RandomStream(1, 3, 2).NextBits());
        var mean = Enumerable.Range(0, 100_000).Average(_ => random.NextNormal());
        Assert.Equal(0, mean, 0.02);
    }

    private static readonly ulong[] Pinned = [14800583368717618998, 129436379758905873];

    [Theory]
    [InlineData("lesions")]
    [InlineData("opacities")]
    [InlineData("cells")]
    [InlineData("vessels")]
    [InlineData("nodules")]
    [InlineData("cavities")]
    [InlineData("fibres")]
    [InlineData("spots")]
    [InlineData("masses")]
    public void Phantoms_are_drawn_by_seed_and_called_synthetic(string task)
    {
        var one = Phantoms.Create(task, train: 12, validation: 6, test: 6);
        var same = Phantoms.Create(task, train: 12, validation: 6, test: 6);
        var other = Phantoms.Create(task, train: 12, validation: 6, test: 6, seed: 1);
        Assert.Equal(one.ContentHash, same.ContentHash);
        Assert.NotEqual(one.ContentHash, other.ContentHash);
        Assert.EndsWith("(synthetic)", one.Title, StringComparison.Ordinal);
        Assert.Equal(one.Train.Pixels[..50], Phantoms.Create(task, train: 24, validation: 6, test: 6).Train.Pixels[..50]);
    }

    [Fact]
    public void A_subset_takes_the_classes_in_turns()
    {
        var data = new DatasetSource("phantom:cells", TrainImages: 7).Load(InputFile.Read);
        Assert.Equal([0, 1, 2, 0, 1, 2, 0], data.Train.Labels);
        Assert.Throws<InputException>(() => new DatasetSource("phantom:cells", TrainImages: 2).Load(InputFile.Read));
        var whole = new DatasetSource("phantom:cells").Load(InputFile.Read);
        var fewValidate = new DatasetSource("phantom:cells", ValidationImages: 4).Load(InputFile.Read);
        Assert.Equal([0, 1, 2, 0], fewValidate.Validation.Labels);
        Assert.Equal((whole.Train.Count, whole.Test.Count), (fewValidate.Train.Count, fewValidate.Test.Count));
        var error = Assert.Throws<InputException>(() => new DatasetSource("phantom:cells", ValidationImages: 100_000).Load(InputFile.Read));
        Assert.StartsWith("validationImages is 100000; data set", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Each side shifts by a fourteenth of itself: 112 rows by up to 8, 28 columns by up to 2.</summary>
    [Fact]
    public void A_shift_is_in_proportion_to_each_side()
    {
        const int Height = 112, Width = 28;
        using var scope = TorchSharp.torch.NewDisposeScope();
        var split = new ImageSplit([.. Enumerable.Range(0, 2 * Height * Width).Select(i => (byte)(i % 250 + 1))], [0, 1]);
        var info = Phantoms.Create("lesions", train: 4, validation: 2, test: 2).Info with { Height = Height, Width = Width };
        var data = new ImageDataset(info, split, split, split);
        using var loader = new BatchLoader(data, TestDevice.Torch);
        var (mean, deviation) = data.Normalisation;
        var blank = -mean[0] / deviation[0]; // what a pixel from beyond the edge becomes
        var (rows, columns) = (0L, 0L);
        for (var epoch = 0; epoch < 100; epoch++)
        {
            var image = loader.LoadTraining([0], Augmentation.Shifted, seed: 1, epoch).Images[0][0];
            var isBlank = (image - (float)blank).abs() < 1e-4;
            rows = Math.Max(rows, isBlank.all(1).sum().item<long>());
            columns = Math.Max(columns, isBlank.all(0).sum().item<long>());
        }
        Assert.Equal((8L, 2L), (rows, columns));
    }

    [Fact]
    public void An_epochs_order_is_drawn_once_and_asked_for_again_it_is_the_same()
    {
        var (plan, fresh) = (new ShardPlan(50, 2, 10, seed: 3), new ShardPlan(50, 2, 10, seed: 3));
        int[] First(ShardPlan of, int epoch, int shard) => of.Batch(epoch, step: 1, shard);
        var before = First(plan, 1, 0);
        First(plan, 1, 1);
        First(plan, 2, 0);

        Assert.Equal(before, First(plan, 1, 0));
        Assert.Equal(First(fresh, 2, 1), First(plan, 2, 1));
        Assert.NotEqual(First(plan, 1, 0), First(plan, 2, 0));
    }

    [Fact]
    public void Batches_are_normalised_and_augmented_by_seed_epoch_and_image_alone()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var data = Phantoms.Create("vessels", train: 64, validation: 4, test: 4);
        using var loader = new BatchLoader(data, TestDevice.Torch);
        var all = loader.Load(data.Train, [.. Enumerable.Range(0, 64)]);
        Assert.Equal([64L, 3L, 28L, 28L], all.shape);
        Assert.Equal(0, all.mean().item<float>(), 1e-4);
        Assert.Equal(1, all.std().item<float>(), 1e-2);

        var together = loader.LoadTraining([3, 9], Augmentation.ShiftedAndFlipped, seed: 1, epoch: 2).Images;
        var alone = loader.LoadTraining([9], Augmentation.ShiftedAndFlipped, seed: 1, epoch: 2).Images;
        Assert.True(together[1].allclose(alone[0], 0, 0));
        Assert.False(alone.allclose(loader.LoadTraining([9], Augmentation.ShiftedAndFlipped, seed: 1, epoch: 3).Images, 0, 0));
        Assert.True(loader.LoadTraining([9], Augmentation.None, 1, 2).Images.allclose(all.narrow(0, 9, 1), 0, 0));
    }
}
