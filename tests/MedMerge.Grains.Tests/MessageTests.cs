using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace MedMerge.Grains.Tests;

/// <summary>What crosses silos arrives as it was.</summary>
public sealed class MessageTests
{
    [Fact]
    public void A_failure_crosses_silos_with_its_class_and_its_words()
    {
        using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();
        var sent = new WorkFailedException(new Failure(
            FailureKind.Permanent,
            "The network's answer for held-out image 7 is not a number.",
            new FailureOrigin("node", DateTimeOffset.UnixEpoch)));
        var arrived = Assert.IsType<WorkFailedException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(sent)));
        Assert.Equal(sent.Failure, arrived.Failure);
        Assert.Equal(sent.Message, arrived.Message);
    }
}
